#!/usr/bin/env python3
"""Makes beam_search.json: what fairseq's beam search finds with drawn toy models, its rule (sequence_generator.py and
search.BeamSearch of fairseq 0.12) written out for one sentence in plain lists.

    python tests/golden/make_beam_search.py

A toy model's logits are row `last token` of its table plus row `step` of its drift. Symbols: 0 ends and starts, 1 is padding.
"""

import json
import math
import pathlib
import random

HERE = pathlib.Path(__file__).parent
END, PAD = 0, 1


def log_softmax(logits):
    top = max(logits)
    total = top + math.log(sum(math.exp(x - top) for x in logits))
    return [x - total for x in logits]


def fairseq(table, drift, beam, alpha, min_len, max_len):
    """[(score, sum, ids without the end)] of the finished, best first."""
    hypotheses, finalized = [([], 0.0)], []
    for step in range(max_len + 2):
        candidates = []
        for at, (ids, total) in enumerate(hypotheses):
            row = log_softmax([a + b for a, b in zip(table[ids[-1] if ids else END], drift[step])])
            row[PAD] = -math.inf
            if step >= max_len:
                row = [p if token == END else -math.inf for token, p in enumerate(row)]
            elif step < min_len:
                row[END] = -math.inf
            candidates += [(total + p, at, token) for token, p in enumerate(row)]
        candidates = sorted(candidates, key=lambda c: -c[0])[: min(2 * beam, len(table) * len(hypotheses) - 1)]
        for total, at, token in candidates[:beam]:
            if token == END and total != -math.inf and len(finalized) < beam:
                finalized.append((total / (step + 1) ** alpha, total, hypotheses[at][0]))
        if len(finalized) == beam or step == max_len:
            break
        going = [c for c in candidates if c[2] != END][:beam]
        hypotheses = [(hypotheses[at][0] + [token], total) for total, at, token in going]
    return sorted(finalized, key=lambda f: -f[0])


def drawn(draw, rows, size, spread):
    return [[round(draw.gauss(0, spread), 4) for _ in range(size)] for _ in range(rows)]


def main():
    draw = random.Random(16)
    cases = []
    for _ in range(120):
        size = draw.choice([4, 6, 9, 11])
        spread = draw.choice([0.5, 1.5, 3])
        table, drift = drawn(draw, size, size, spread), drawn(draw, 13, size, 0.5)
        for row in table:
            row[END] += draw.choice([-1.5, 0, 0.75])
        rule = dict(beam=draw.choice([1, 2, 3, 5]), alpha=draw.choice([-0.5, 0.0, 0.6, 1.0, 1.5]), min_len=draw.choice([0, 1, 3]),
                    max_len=draw.choice([3, 6, 12]))  # fmt: skip
        cases.append(dict(table=table, drift=drift, **rule, found=fairseq(table, drift, **rule)))
    path = HERE / "beam_search.json"
    path.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
    print(f"{path}: {path.stat().st_size} bytes, {len(cases)} cases")


if __name__ == "__main__":
    main()
