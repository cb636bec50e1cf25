#!/usr/bin/env python3
"""Writes listops.tsv: expressions and their values, by an evaluator of its own (numpy's median and sum).

The definitions are those of github.com/google-research/long-range-arena, lra_benchmarks/data/listops.py.
Needs numpy. Run it in this folder: python3 make_listops.py > listops.tsv
"""
import random

import numpy as np

OPERATORS = {
    "[MIN": min,
    "[MAX": max,
    "[MED": lambda values: int(np.median(values)),
    "[SM": lambda values: int(np.sum(values)) % 10,
}


def expression(rng, depth):
    """A random nested list: a digit, or [operator, argument, ...]."""
    if depth == 0 or rng.random() > 0.4:
        return rng.randrange(10)
    return [rng.choice(list(OPERATORS))] + [expression(rng, depth - 1) for _ in range(rng.randint(1, 7))]


def text(tree):
    return str(tree) if isinstance(tree, int) else " ".join([tree[0], *map(text, tree[1:]), "]"])


def value(tree):
    return tree if isinstance(tree, int) else OPERATORS[tree[0]]([value(argument) for argument in tree[1:]])


def main():
    rng = random.Random(7)
    seen = set()
    while len(seen) < 200:
        tree = expression(rng, depth=5)
        line = f"{text(tree)}\t{value(tree)}"
        if isinstance(tree, list) and len(line) < 600 and line not in seen:
            seen.add(line)
            print(line)


if __name__ == "__main__":
    main()
