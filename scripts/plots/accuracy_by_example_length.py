#!/usr/bin/env python3
"""Test accuracy by length of the example, in groups of equal size, from /eval/test."""

import common
import numpy as np


def groups(length, correct, count):
    """(shortest, longest, accuracy, standard error) of `count` groups of about equal size; one length stays in one
    group."""
    edges = np.unique(np.quantile(length, np.linspace(0, 1, count + 1)))
    which = np.clip(np.searchsorted(edges, length, side="left") - 1, 0, max(len(edges) - 2, 0))
    for group in np.unique(which):
        inside = which == group
        n, p = inside.sum(), correct[inside].mean()
        yield length[inside].min(), length[inside].max(), p, np.sqrt(p * (1 - p) / n)


def draw(run):
    test = run.table("/eval/test")
    if test is None or "length" not in test or "correct" not in test or len(test) < 50:
        return None
    length, correct = test["length"], test["correct"].astype(float)
    rows = list(groups(length, correct, 6 if len(test) >= 300 else 3))
    made, (axis,) = common.figure(1, heights=2.6)
    centres = range(len(rows))
    axis.errorbar(
        centres,
        [r[2] for r in rows],
        yerr=[r[3] for r in rows],
        color=common.BLUE,
        marker="o",
        capsize=4,
        linestyle="-",
    )
    axis.axhline(correct.mean(), color=common.GREY, linestyle="--", linewidth=1.4)
    axis.set_xticks(centres, [f"{a}" if a == b else f"{a}–{b}" for a, b, _, _ in rows], fontsize=9)
    axis.set_xlabel("tokens of the example that the model read")
    axis.set_title("Test accuracy by length ± standard error (dashed: all)")
    axis.margins(y=0.15)
    common.percent_axis(axis)
    return made


if __name__ == "__main__":
    common.main(draw, __doc__)
