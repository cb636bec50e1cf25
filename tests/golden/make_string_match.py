#!/usr/bin/env python3
"""Makes string_match.json: RULER's string_match_all of drawn and awkward answers, each alone, by its formula
(NVIDIA/RULER, scripts/eval/synthetic/constants.py) behind its postprocess_pred (scripts/eval/evaluate.py), written out
here in Python's own terms.

    python tests/golden/make_string_match.py
"""

import json
import pathlib
import random
import re
import uuid

HERE = pathlib.Path(__file__).parent
AWKWARD = [
    "", " ", "7", "1234567", "1,234,567", "1234567.", "12345678", "123\x004567", "123\n4567", "123\t4567", "\x1f1234567\x1f", "a\x7fb",
    "Brave-Heron", "BRAVE-HERON", "brave heron", "Straße", "STRASSE", "ΑΣ", "ας", "ασ", "ΑΣΑ", "İ", "i\u0307", "i", "ß", "ẞ", "\u0085x\u0085",
    "\u00a0x", "x\u2028", "x\ny", "x y", "\x1cx", "\u200bx", "Ǆ", "ǆ", "\u212a", "k", "naïve", "NAÏVE", "é", "e\u0301", "日本", "x\r\ny", "\ny", "x\n",
]  # fmt: skip


def postprocess(answer):
    return re.sub(r"[\x00-\x1f]", "\n", answer.strip()).strip()


def string_match_all(answer, references):
    answer = postprocess(answer).lower()
    return sum(reference.lower() in answer for reference in references) / len(references)


def main():
    draw = random.Random(8)
    numbers = [str(draw.randint(10**6, 10**7 - 1)) for _ in range(12)]
    uuids = [str(uuid.UUID(int=draw.getrandbits(128), version=4)) for _ in range(6)]
    parts = AWKWARD + numbers + uuids + [u.upper() for u in uuids] + [n[:-1] for n in numbers]
    rows = [(a, [b]) for a in AWKWARD for b in AWKWARD]
    for _ in range(1500):
        answer = "".join(p + draw.choice([" ", ", ", "\n", "\x0b", "", ".", "\u2029"]) for p in draw.choices(parts, k=draw.randint(0, 6)))
        rows.append((answer, draw.choices(parts[1:], k=draw.randint(1, 4))))
    golden = [[answer, references, round(string_match_all(answer, references), 9)] for answer, references in rows]
    path = HERE / "string_match.json"
    path.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size} bytes, {len(rows)} answers, {sum(0 < g[2] < 1 for g in golden)} found in part")


if __name__ == "__main__":
    main()
