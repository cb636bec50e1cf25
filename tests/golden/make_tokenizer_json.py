#!/usr/bin/env python3
"""Makes tokenizer_json/: small tokenizer.json files in the shapes of published families, and ids.json, what the
`tokenizers` package makes of a few hundred texts with each.

    python tests/golden/make_tokenizer_json.py    needs tokenizers (written with 0.23.3)
"""

import json
import pathlib
import random

from tokenizers import Tokenizer
from tokenizer_shapes import PARTS, SHAPES, SPECIAL, WORDS, random_texts

FOLDER = pathlib.Path(__file__).with_name("tokenizer_json")

TEXTS = [
    "", " ", "  ", "a", " a", "a  b", "a  1", "12345", "x\r\n\r\ny", "don't DON'T we'Ve", " \n\n x", "a\n ", "Việt",
    WORDS, *PARTS, *SPECIAL, *(f"a {s}  b{s}" for s in SPECIAL), "<s><s> <s>", "<|im_end|>\n<|im_start|>user\nHi",
    "<word>a a<word> <word> é<word>", " <mask> <mask>x <pad>  y", *random_texts(3, 60),
    "thetimes" * 20, "a" * 100, " " * 70 + "\n" * 60, "0" * 60, "é" * 50, "▁" * 60 + "the",  # longer than what is remembered
]


def is_mixed(pieces):
    """Whether some run of byte tokens holds whole characters beside stray bytes: there `tokenizers` gives up the run, and
    SentencePiece, whose rule we follow, the stray bytes alone."""
    run = b""
    for piece in [*pieces, ""]:
        if len(piece) == 6 and piece.startswith("<0x"):
            run += bytes([int(piece[3:5], 16)])
            continue
        try:
            run.decode()
        except UnicodeDecodeError:
            if run.decode(errors="ignore"):
                return True
        run = b""
    return False


def is_misread(pieces):
    """Whether `tokenizers` takes the text of an added token for ByteLevel's letters, which we do not."""
    return any(piece.endswith("ngström") for piece in pieces)


def drawn_ids(tokenizer, rng):
    size = tokenizer.get_vocab_size()
    drawn = [[rng.randrange(size) for _ in range(10)] for _ in range(20)]
    pieces = [[tokenizer.id_to_token(i) for i in ids] for ids in drawn]
    return [ids for ids, p in zip(drawn, pieces) if not is_mixed(p) and not is_misread(p)]


def cases(name, tokenizer):
    plain = [tokenizer.encode(t, add_special_tokens=False).ids for t in TEXTS]
    decoded = [ids for ids in [*drawn_ids(tokenizer, random.Random(name)), *plain[:40:3]]]
    first = tokenizer.encode("", add_special_tokens=True).ids
    tokenizer.encode_special_tokens = True
    as_text = [tokenizer.encode(t, add_special_tokens=False).ids for t in SPECIAL]
    return dict(size=tokenizer.get_vocab_size(), bos=first[0] if first else None, ids=plain, special_as_text=as_text,
                decode=[dict(ids=ids, text=tokenizer.decode(ids)) for ids in decoded])


def main():
    FOLDER.mkdir(exist_ok=True)
    found = {}
    for name, shape in SHAPES.items():
        text = json.dumps(shape(), ensure_ascii=False, separators=(",", ":"))
        (FOLDER / f"{name}.json").write_text(text + "\n")
        found[name] = cases(name, Tokenizer.from_str(text))
    ids = json.dumps(dict(texts=TEXTS, special=SPECIAL, shapes=found), separators=(",", ":"))
    (FOLDER / "ids.json").write_text(ids + "\n")
    print(len(TEXTS), "texts,", sum(file.stat().st_size for file in FOLDER.iterdir()), "bytes")


if __name__ == "__main__":
    main()
