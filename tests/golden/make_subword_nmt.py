#!/usr/bin/env python3
"""Makes subword_nmt.json: codes and vocabularies of subword-nmt, and what it cuts lines into by them.

    pip install subword-nmt==0.3.8
    python tests/golden/make_subword_nmt.py

The text is drawn here from syllables and is in no language. The last two cases hold codes that nobody would learn: in random
order, some twice, some that make what others make too.
"""

import io
import json
import pathlib
import random

from subword_nmt.apply_bpe import BPE, read_vocabulary
from subword_nmt.get_vocab import get_vocab
from subword_nmt.learn_bpe import learn_bpe

HERE = pathlib.Path(__file__).resolve().parent
SYLLABLES = "ba be lin der die das ü tür ß en ung heit ge ver schön straß abc bcd ca ab ,- 12 漢".split()
AWKWARD = [
    "", " ", "  two  blanks  ", "\ttabs\tin\tit", "a", "ß", "漢字", "non\u00a0breaking blank\u2009here", "x" * 70, "ab" * 60,
    "😀 👩‍👩‍👧", "</w> foo</w> @@ a@@", "@-@ &apos;s &quot; ##AT##", "e\u0301te", "abcabcabc bcabcab aaaa", "#version: 0.2",
]  # fmt: skip


def words(rng, count):
    stock = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(200)]
    return [stock[min(int(rng.paretovariate(0.6)) - 1, 199)] for _ in range(count)]


def lines_of(rng, count):
    return [" ".join(words(rng, rng.randint(1, 12))) for _ in range(count)]


def learned(text, merges):
    codes = io.StringIO()
    learn_bpe(io.StringIO(text), codes, merges)
    return codes.getvalue()


def vocabulary_of(codes, text):
    counts = io.StringIO()
    get_vocab(io.StringIO("".join(BPE(io.StringIO(codes)).process_line(line + "\n") for line in text.split("\n"))), counts)
    return counts.getvalue()


def case(name, codes, lines, vocabulary=None, threshold=0):
    known = read_vocabulary(io.StringIO(vocabulary), threshold) if vocabulary else None
    bpe = BPE(io.StringIO(codes), vocab=known)
    pieces = [bpe.segment(line) if line.strip(" ") else "" for line in lines]
    return {
        "name": name, "codes": codes, "vocabulary": vocabulary or "", "threshold": threshold,
        "lines": [{"text": line, "pieces": cut} for line, cut in zip(lines, pieces)],
    }  # fmt: skip


def main():
    rng = random.Random(3)
    text = "\n".join(lines_of(rng, 200))
    lines = lines_of(rng, 25) + ["".join(rng.choices("abcdinü ß", k=30)) for _ in range(25)] + AWKWARD
    codes = learned(text, 120)
    vocabulary = vocabulary_of(codes, text)
    pairs = codes.split("\n")[1:-1]
    mixed = pairs + rng.sample(pairs, 20) + ["a bc", "ab c", "abc abc", "b cab", "c a", "ab abc</w>"]
    rng.shuffle(mixed)
    mixed = "#version: 0.2\n" + "\n".join(mixed) + "\n"
    first_version = "\n".join(line.replace("</w>", " </w>").replace("  ", " ") for line in pairs if "</w>" not in line)
    first_version += "\ne n\nen </w>\nabc </w>\n"
    cases = [
        case("codes", codes, lines),
        case("vocabulary", codes, lines, vocabulary),
        case("threshold", codes, lines, vocabulary, 30),
        case("without a version", first_version, lines),
        case("mixed", mixed, lines),
        case("mixed and threshold", mixed, lines, vocabulary, 60),
    ]
    (HERE / "subword_nmt.json").write_text(json.dumps(cases, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
