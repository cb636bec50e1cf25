"""Makes a file for `data: {type: token_lines}` of what `attnlab predict MODEL` wrote for empty lines: the ids of each
text behind the BOS that it began with.

usage: chunks_of_predictions.py PREDICTIONS CHUNKS
"""

import json
import os
import pathlib
import sys

BOS = 1  # SentencePiece's own id for it, which Llama's tokenizers keep


def main():
    predictions, chunks = (pathlib.Path(name) for name in sys.argv[1:])
    part = chunks.with_name(chunks.name + ".part")
    with open(predictions, encoding="utf-8") as lines, open(part, "w", encoding="utf-8") as out:
        for number, line in enumerate(lines, 1):
            told = json.loads(line)
            if "error" in told:
                sys.exit(f"chunks_of_predictions: line {number} of {predictions} has no text: {told['error']}")
            json.dump({"id": f"story {number}", "ids": [BOS, *told["ids"]]}, out)
            out.write("\n")
    os.replace(part, chunks)


if __name__ == "__main__":
    main()
