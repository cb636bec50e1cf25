#!/usr/bin/env python3
"""Writes classes.inc and lower.inc: what Python's own strings answer about every code point, as evaluators written in Python
rest on them.

    python src/metrics/python/make_tables.py    (the tables are of Python 3.11, Unicode 14; needs the package regex)

Punctuation, symbols and numbers are what the package `regex` takes for them, which knows a newer Unicode than Python: sacreBLEU's
tokenizer "intl" asks it (the tables are of 2026.11.19).
"""

import pathlib
import re
import sys
import unicodedata

import regex

HERE = pathlib.Path(__file__).resolve().parent
ALL = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
WORD, SPACE, CASED, IGNORABLE, PUNCTUATION, SYMBOL, NUMBER = (1 << bit for bit in range(7))  # src/metrics/python/text.h
FINAL_SIGMA = "\u03c2"


def classes(c):
    word = re.match(r"\w", c) is not None
    # A capital sigma is final behind a cased letter, whatever ignorable ones stand between: so it tells both.
    cased = (c + "\u03a3").lower().endswith(FINAL_SIGMA)
    ignorable = not cased and ("A" + c + "\u03a3").lower().endswith(FINAL_SIGMA)
    return word * WORD | c.isspace() * SPACE | cased * CASED | ignorable * IGNORABLE | general(c)


def general(c):
    found = regex.match(r"(\p{P})|(\p{S})|(\p{N})", c)
    return [0, PUNCTUATION, SYMBOL, NUMBER][found.lastindex if found else 0]


def write(name, what, entries):
    heading = f"// Written by make_tables.py from Python {sys.version.split()[0]}, Unicode {unicodedata.unidata_version}: {what}."
    lines, line = [heading, "// clang-format off"], ""
    for entry in entries:
        if len(line) + len(entry) > 110:
            lines.append(line.rstrip())
            line = ""
        line += entry + ", "
    (HERE / name).write_text("\n".join([*lines, line.rstrip()]) + "\n")
    print(f"{name}: {len(entries)} entries")


def main():
    runs, last = [], None
    for c in ALL:
        if (now := classes(c)) != last:
            runs.append(f"{{0x{ord(c):X},{now}}}")
            last = now
    write("classes.inc", "first code point of a run, and its classes", runs)
    lower = [(c, c.lower()) for c in ALL if c.lower() != c and c != "\u0130"]  # the dotted I becomes two
    assert all(len(to) == 1 for _, to in lower)
    write("lower.inc", "a code point and its lower case", [f"{{0x{ord(a):X},0x{ord(b):X}}}" for a, b in lower])


if __name__ == "__main__":
    main()
