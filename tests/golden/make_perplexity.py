#!/usr/bin/env python3
"""Writes perplexity.json for tests/metrics/perplexity_test.cpp: made-up documents, their perplexities by numpy, and the
spread of each figure over resampled sets of documents (bootstrap), which the formulas of the standard errors must meet."""

import json
import pathlib

import numpy as np

RESAMPLES = 20_000


def figures(tokens, words, bytes_, nll):
    """Pooled, mean over documents, per word, bits per byte; sums over the last axis."""
    return np.stack(
        [
            np.exp(nll.sum(-1) / tokens.sum(-1)),
            np.exp(nll / tokens).mean(-1),
            np.exp(nll.sum(-1) / words.sum(-1)),
            nll.sum(-1) / np.log(2) / bytes_.sum(-1),
        ],
        -1,
    )


def main():
    rng = np.random.default_rng(5)
    n = 60
    tokens = rng.integers(2_000, 60_000, n)
    words = np.round(tokens * rng.normal(0.75, 0.03, n)).astype(int)
    bytes_ = np.round(tokens * rng.normal(4.1, 0.2, n)).astype(int)
    nll = tokens * rng.normal(2.1, 0.15, n)
    drawn = rng.integers(0, n, (RESAMPLES, n))
    resampled = figures(tokens[drawn], words[drawn], bytes_[drawn], nll[drawn])
    names = ["pooled", "mean_document", "word", "bits_per_byte"]
    golden = {
        "documents": [
            {"tokens": int(t), "words": int(w), "bytes": int(b), "nll": float(x)}
            for t, w, b, x in zip(tokens, words, bytes_, nll)
        ],
        "figures": dict(zip(names, figures(tokens, words, bytes_, nll).tolist())),
        "bootstrap_standard_errors": dict(zip(names, resampled.std(0, ddof=1).tolist())),
    }
    pathlib.Path(__file__).with_name("perplexity.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
