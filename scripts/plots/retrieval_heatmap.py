#!/usr/bin/env python3
"""Needles found, by length of the haystack and depth of the needle: a panel for each cache."""

import common
import matplotlib
import matplotlib.pyplot as plt
import numpy as np

METRIC = "string_match"
LENGTH, DEPTH = "benchmark.length", "benchmark.depth"
PANELS_A_ROW = 2
# From dark for nothing found to light for everything, readable in grey.
COLOURS = matplotlib.colormaps["cividis"]


def draw(cases):
    """None unless needles were asked for at several lengths or depths."""
    held = [case for case in cases if {LENGTH, DEPTH} <= case.condition.keys() and case.estimate(METRIC)]
    lengths = sorted({int(case.condition[LENGTH]) for case in held})
    depths = sorted({int(case.condition[DEPTH]) for case in held})
    if len(lengths) * len(depths) < 2:
        return None
    labels = list(dict.fromkeys(case.label for case in held))
    columns = min(PANELS_A_ROW, len(labels))
    rows = -(-len(labels) // columns)
    height = 0.9 + 0.28 * len(depths)
    made, axes = plt.subplots(rows, columns, figsize=(common.WIDTH, height * rows + 0.7), squeeze=False, sharey=True)
    for axis, label in zip(axes.flat, labels):
        found = np.full((len(depths), len(lengths)), np.nan)
        for case in held:
            if case.label == label:
                at = depths.index(int(case.condition[DEPTH])), lengths.index(int(case.condition[LENGTH]))
                found[at] = case.estimate(METRIC).mean
        panel(axis, found, lengths, depths)
        axis.set_title(label)
    for axis in axes.flat[len(labels) :]:
        axis.set_visible(False)
    for axis in axes[:, 0]:
        axis.set_ylabel("depth")
    for column in range(columns):
        axes[(len(labels) - 1 - column) // columns, column].set_xlabel("tokens of prompt and answer")
    return made


def panel(axis, found, lengths, depths):
    axis.grid(False)
    axis.imshow(found, cmap=COLOURS, vmin=0, vmax=1, aspect="auto")
    axis.set_xticks(range(len(lengths)), [f"{n:,}" for n in lengths])
    axis.set_yticks(range(len(depths)), [f"{depth} %" for depth in depths])
    for (row, column), share in np.ndenumerate(found):
        if np.isfinite(share):
            colour = "white" if share < 0.5 else "black"
            axis.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=colour, fontsize=9)


if __name__ == "__main__":
    common.main_of_runs(draw, __doc__)
