#!/usr/bin/env python3
"""Makes fairseq_binarised/: what `fairseq-preprocess --joined-dictionary --dataset-impl mmap` leaves of six pairs, written by
numpy after fairseq's format, and the pairs themselves (pairs.json). Validation is of another integer type than training.

    pip install numpy==2.4.6
    python tests/golden/make_fairseq_binarised.py
"""

import collections
import json
import pathlib
import struct

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent / "fairseq_binarised"
TYPES = {1: "u1", 2: "i1", 3: "<i2", 4: "<i4", 5: "<i8", 8: "<u2", 9: "<u4", 10: "<u8"}
PARTS = {  # type of ids, pairs
    "train": (8, [("the li@@ ttle dog", "der klei@@ ne Hund"), ("a dog", "ein Hund"), ("dog , dog", "Hund , Hund")]),
    "valid": (4, [("the dog", "der Hund"), ("", "")]),
    "test": (8, [("a li@@ ttle cat", "eine klei@@ ne Katze")]),
}


def write(stem, code, sentences):
    arrays = [np.asarray(s, dtype=TYPES[code]) for s in sentences]
    stem.with_name(stem.name + ".bin").write_bytes(b"".join(a.tobytes() for a in arrays))
    lengths = np.array([a.size for a in arrays], dtype="<i4")
    offsets = np.concatenate([[0], np.cumsum([a.nbytes for a in arrays])[:-1]]).astype("<i8")
    head = b"MMIDIDX\x00\x00" + struct.pack("<QBQ", 1, code, len(arrays))
    stem.with_name(stem.name + ".idx").write_bytes(head + lengths.tobytes() + offsets.tobytes())


def main():
    FOLDER.mkdir(exist_ok=True)
    counts = collections.Counter(s for pair in PARTS["train"][1] for side in pair for s in side.split())
    symbols = sorted(counts, key=lambda s: (-counts[s], s))
    lines = [f"{s} {counts[s]}" for s in symbols]
    lines += [f"madeupword{i:04d} 0" for i in range(-(len(symbols) + 4) % 8)]
    for language in ("en", "de"):
        (FOLDER / f"dict.{language}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ids = {s: i + 4 for i, s in enumerate(symbols)}
    for part, (code, pairs) in PARTS.items():
        for side, language in enumerate(("en", "de")):
            sentences = [[ids.get(s, 3) for s in pair[side].split()] + [2] for pair in pairs]
            write(FOLDER / f"{part}.en-de.{language}", code, sentences)
    text = json.dumps({part: pairs for part, (_, pairs) in PARTS.items()}, ensure_ascii=False, indent=1)
    (FOLDER / "pairs.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
