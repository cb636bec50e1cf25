#!/usr/bin/env python3
"""Writes mcnemar.json: for counts of a 2 × 2 table, the two-sided p of McNemar's exact test as SciPy's binomial test of
the discordant counts gives it, and NumPy's mean and standard error of the difference of the two verdicts, example by
example.

Made with SciPy 1.17.1. Run it in this folder.
"""
import json

import numpy as np
from scipy.stats import binomtest

TABLES = [(10, 0, 0, 5), (3, 1, 0, 2), (59, 6, 16, 80), (101, 121, 59, 33), (1200, 130, 90, 580), (800, 100, 100, 0),
          (16000, 2600, 2500, 3900), (12000, 700, 1900, 10400)]


def difference(both, only_a, only_b, neither):
    a = np.repeat([1.0, 1.0, 0.0, 0.0], [both, only_a, only_b, neither])
    b = np.repeat([1.0, 0.0, 1.0, 0.0], [both, only_a, only_b, neither])
    return (b - a).mean(), (b - a).std(ddof=1) / np.sqrt(len(a))


def main():
    cases = []
    for both, only_a, only_b, neither in TABLES:
        p = binomtest(only_a, only_a + only_b, 0.5).pvalue if only_a + only_b else 1.0
        mean, error = difference(both, only_a, only_b, neither)
        cases.append({"both": both, "only_a": only_a, "only_b": only_b, "neither": neither, "p": float(p),
                      "difference": float(mean), "standard_error": float(error)})
    with open("mcnemar.json", "w") as out:
        json.dump(cases, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
