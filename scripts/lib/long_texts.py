"""Long texts for a language model to read, in a folder that is made whole or not at all.

usage: long_texts.py reviews FOLDER TEXTS COUNT BYTES   reviews joined, in the order of their names, each once
       long_texts.py written PREDICTIONS TEXTS          what `attnlab predict MODEL` wrote, prompts and all
       long_texts.py beginning TEXTS CHARACTERS         prints the first text's beginning as a prompt, a JSON line
"""

import json
import os
import pathlib
import shutil
import sys

from paths import visible


def reviews(folder, count, size):
    """`count` texts of at least `size` bytes each."""
    left = iter(visible(pathlib.Path(folder), "*.txt"))
    for _ in range(count):
        text = []
        while sum(len(review.encode()) for review in text) < size:
            file = next(left, None)
            if file is None:
                sys.exit(f"long_texts: {folder} has too few reviews for {count} texts of {size} bytes")
            text.append(file.read_text(encoding="utf-8", errors="replace").replace("<br />", "\n").strip())
        yield "\n\n".join(text) + "\n"


def written(predictions):
    for number, line in enumerate(pathlib.Path(predictions).read_text(encoding="utf-8").splitlines(), 1):
        told = json.loads(line)
        if "error" in told:
            sys.exit(f"long_texts: line {number} of {predictions} has no text: {told['error']}")
        yield told["prompt"] + told["text"]


def write(texts, target):
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)  # of a run that was killed
    part.mkdir(parents=True)
    for number, text in enumerate(texts, 1):
        (part / f"text {number}.txt").write_text(text, encoding="utf-8")
    os.replace(part, target)


def beginning(folder, characters):
    """In whole words."""
    text = visible(pathlib.Path(folder), "*.txt")[0].read_text(encoding="utf-8")
    return text if len(text) <= characters else text[:characters].rsplit(maxsplit=1)[0]


def main():
    what, *arguments = sys.argv[1:]
    if what == "reviews":
        folder, target, count, size = arguments
        write(reviews(folder, int(count), int(size)), pathlib.Path(target))
    elif what == "written":
        predictions, target = arguments
        write(written(predictions), pathlib.Path(target))
    else:
        folder, characters = arguments
        print(json.dumps({"prompt": beginning(folder, int(characters))}))


if __name__ == "__main__":
    main()
