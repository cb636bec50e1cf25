#!/usr/bin/env python3
"""Writes rkv.json: scores of R-KV for tests/cache/rkv_test.cpp, in plain Python and double precision.

Score and redundancy follow `R1KV._compute_scores` (rkv/compression/r1_kv.py) and `cal_similarity` (rkv/utils.py,
retain_direction "last") of github.com/Zefan-Cai/R-KV for one key head with one query head: all from the keys that are
left and the last queries, nothing kept between tokens.

    python tests/golden/make_rkv.py
"""

import json
import math
import pathlib
import random

TOKENS, SIZE, WINDOW, POOL, THRESHOLD, LAMBDA = 18, 6, 4, 3, 0.5, 0.07
GONE = {9: 2, 12: 0, 13: 8}  # after the token on the left, the one on the right goes


def dot(x, y):
    return sum(a * b for a, b in zip(x, y))


def softmax(x):
    e = [math.exp(a - max(x)) for a in x]
    return [a / sum(e) for a in e]


def redundancy(keys):
    n = len(keys)
    unit = [[a / (math.sqrt(dot(k, k)) + 1e-8) for a in k] for k in keys]
    cosines = [[dot(unit[i], unit[j]) if i != j else 0.0 for j in range(n)] for i in range(n)]
    for row in cosines:
        row[max(j if row[j] > THRESHOLD else 0 for j in range(n))] = 0.0  # without one that is alike: the first
    return softmax([sum(row[j] for row in cosines) / n for j in range(n)])


def importance(keys, queries):
    past = keys[:-WINDOW]
    weights = [softmax([dot(q, k) / math.sqrt(SIZE) for k in past]) for q in queries[-WINDOW:]]
    mean = [sum(row[j] for row in weights) / WINDOW for j in range(len(past))]
    return [max(mean[max(0, j - POOL // 2):j + POOL // 2 + 1]) for j in range(len(past))]


def main():
    draw = random.Random(7)
    centres = [[draw.gauss(0, 1) for _ in range(SIZE)] for _ in range(3)]
    # Near one of three directions, or anywhere.
    keys = [[draw.gauss(0, 0.5) + c for c in draw.choice(centres + [[0.0] * SIZE])] for _ in range(TOKENS)]
    queries = [[draw.gauss(0, 1.5) for _ in range(SIZE)] for _ in range(TOKENS)]
    kept = [t for t in range(TOKENS) if t not in GONE.values()]
    left = [keys[t] for t in kept]
    redundant = redundancy(left)
    scores = [LAMBDA * i - (1 - LAMBDA) * r for i, r in zip(importance(left, queries), redundant)]
    made = dict(keys=keys, queries=queries, gone=[[t, j] for t, j in GONE.items()], window=WINDOW, pool=POOL,
                threshold=THRESHOLD, **{"lambda": LAMBDA}, kept=kept, redundancy=redundant, scores=scores)
    path = pathlib.Path(__file__).with_name("rkv.json")
    path.write_text(json.dumps(made, separators=(",", ":")) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
