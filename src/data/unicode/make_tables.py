#!/usr/bin/env python3
"""Writes classes.inc and compositions.inc: what the `tokenizers` package itself answers about every code point.

    python src/data/unicode/make_tables.py    needs tokenizers (the tables are of 0.23.3)

Its parts know Unicode of different ages (the regex engine that splits texts, Rust's own digits, its normalisation), so
that tables of any one version of Unicode give other ids for some character.
"""

import itertools
import pathlib
import unicodedata

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

HERE = pathlib.Path(__file__).resolve().parent
ALL = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
# The bits of src/data/unicode/characters.h.
REGEX_CLASSES = [r"\p{L}", r"\p{N}", r"\s", r"[\p{Lu}\p{Lt}]", r"\p{Ll}", r"[\p{Lm}\p{Lo}\p{M}]"]
DIGIT, WORD, COMPOSES = (1 << bit for bit in range(6, 9))

NFC, NFD = normalizers.NFC().normalize_str, normalizers.NFD().normalize_str


def matched(regex):
    """All characters that the engine of Split, and of ByteLevel, finds the class in."""
    pieces = pre_tokenizers.Split(Regex(regex), "removed", invert=True).pre_tokenize_str("".join(ALL))
    return set("".join(piece for piece, _ in pieces))


def digits():
    split = pre_tokenizers.Digits(individual_digits=True).pre_tokenize_str
    return {c for c in ALL if len(split("a" + c)) == 2}


def added(**rules):
    tokenizer = Tokenizer(models.BPE({"\U0010ffff": 0}, []))
    tokenizer.add_tokens([AddedToken("[]", normalized=False, **rules)])
    return tokenizer


def word_characters():
    single = added(single_word=True)
    return {c for c in ALL if not single.encode("[]" + c).tokens}


def check_white_space(space):
    stripped = added(rstrip=True)
    assert space == {c for c in ALL if stripped.encode("[]" + c).offsets[0][1] == 3}, "another engine's white space"
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str
    letters = matched(r"\p{L}")
    assert letters == {c for c in ALL if len(byte_level("a" + c)) == 1}, "ByteLevel has another engine"


def combining_classes():
    """Canonical combining classes: Unicode's own, of those characters that the package moves by them."""
    whole = [c for c in ALL if NFD(c) == c]
    moves = {c for c in whole if NFD("\u0345" + c) != "\u0345" + c or NFD(c + "\u0301") != c + "\u0301"}
    found = {c: unicodedata.combining(c) for c in sorted(moves)}
    assert all(found.values()), "characters that this Python's Unicode does not know"
    one_of_each = {value: c for c, value in found.items()}
    for (c, value), (other, o) in itertools.product(found.items(), one_of_each.items()):
        assert (NFD(o + c) == c + o and o != c) == (value < other), (hex(ord(c)), hex(ord(o)))
    return found


def hangul(c):
    return 0xAC00 <= ord(c) <= 0xD7A3


def decompositions():
    """(pairs that compose, all that decomposes otherwise)."""
    pairs, others = [], []
    for c in ALL:
        parts = NFD(c)
        if parts == c or hangul(c):
            continue
        if NFC(c) == c:
            first = NFC(parts[:-1])
            assert len(first) == 1 and NFC(first + parts[-1]) == c, hex(ord(c))
            pairs.append((first, parts[-1], c))
        else:
            assert len(parts) <= 4, hex(ord(c))
            others.append((c, parts))
    return pairs, others


def class_table(classes, pairs, others):
    masks = dict.fromkeys(ALL, 0)
    for bit, regex in enumerate(REGEX_CLASSES):
        for c in matched(regex):
            masks[c] |= 1 << bit
    for mask, members in ((DIGIT, digits()), (WORD, word_characters())):
        for c in members:
            masks[c] |= mask
    second_jamo = [chr(c) for c in itertools.chain(range(0x1161, 0x1176), range(0x11A8, 0x11C3))]
    for c in [*classes, *(second for _, second, _ in pairs), *(c for c, _ in others), *second_jamo]:
        masks[c] |= COMPOSES
    return masks


def runs(values):
    """(first code point, value) of every run of equal values."""
    out, last = [], None
    for code in range(0x110000):
        value = values.get(chr(code), 0)
        if value != last:
            out.append((code, value))
            last = value
    return out


def wrapped(items, width=110):
    line, lines = "", []
    for item in items:
        if len(line) + len(item) + 1 > width:
            lines.append(line)
            line = ""
        line += (" " if line else "") + item
    return "\n".join([*lines, line]) + "\n"


def write(name, comment, items):
    text = f"// Written by make_tables.py from tokenizers {tokenizers.__version__}: {comment}.\n// clang-format off\n"
    (HERE / name).write_text(text + wrapped(items))
    print(f"{name}: {len(items)} entries")


def h(c):
    return f"0x{ord(c):X}"


def main():
    classes = combining_classes()
    pairs, others = decompositions()
    masks = class_table(classes, pairs, others)
    check_white_space({c for c, mask in masks.items() if mask & 4})
    write("classes.inc", "first code point of a run, and its classes", [f"{{0x{c:X},{m}}}," for c, m in runs(masks)])
    write("combining_classes.inc", "first code point of a run, and its canonical combining class",
          [f"{{0x{c:X},{m}}}," for c, m in runs(classes)])
    write("compositions.inc", "two code points, and the one that they compose to",
          [f"{{{h(a)},{h(b)},{h(c)}}}," for a, b, c in pairs])
    write("decompositions.inc", "a code point, and the whole of what it becomes and never is again",
          [f"{{{h(c)},{{{','.join(h(p) for p in parts)}}}}}," for c, parts in others])


if __name__ == "__main__":
    main()
