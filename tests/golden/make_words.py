#!/usr/bin/env python3
"""Writes words.json: texts and how many words Python's str.split() finds in them, for tests/data/words_test.cpp."""

import json
import pathlib
import random

SPACES = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and chr(c).isspace()]
LETTERS = list("ab.,'\u200b\u00e9\u0180\u2003\u2014\u3001\U0001f600\U000e2080\u00ad\ufeff")
LETTERS = [c for c in LETTERS if not c.isspace()]


def main():
    draw = random.Random(1)
    texts = ["", " ", "a", " a ", "one two\n three", "".join(f"a{s}" for s in SPACES)]
    texts += ["".join(draw.choices(SPACES + LETTERS, k=draw.randint(1, 40))) for _ in range(200)]
    cases = [{"text": text, "words": len(text.split())} for text in texts]
    pathlib.Path(__file__).with_name("words.json").write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
