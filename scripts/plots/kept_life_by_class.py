#!/usr/bin/env python3
"""In how many steps tokens of each class were attended to before a bounded cache dropped them, from /kept/classes: mean over
layers ± standard error over chunks, and the mean over all tokens, which is the same for every policy that keeps as many."""

import common
import numpy as np

ALL, NO_TEXT = "all", "no text"  # BOS alone is no class of a text


def draw(run):
    """None where no lives were recorded, or tokens have no classes."""
    table = run.table("/kept/classes")
    if table is None or len(table) < 3:
        return None
    rows = dict(zip(table["class"], zip(table["mean_life"], table["standard_error"], table["tokens"])))
    mean = rows.pop(ALL)[0]
    rows.pop(NO_TEXT, None)
    names = sorted(rows, key=lambda name: rows[name][0])
    life, error, tokens = np.array([rows[name] for name in names], dtype=float).T
    made, (axis,) = common.figure(1, heights=0.9 + 0.27 * len(names))
    axis.barh(range(len(names)), life, color=common.SKY, xerr=error, error_kw={"capsize": 2.5, "elinewidth": 1.1})
    axis.set_yticks(range(len(names)), [f"{spoken(name)}, {n:,.0f}" for name, n in zip(names, tokens)])
    axis.axvline(mean, color=common.VERMILION, linewidth=1.5)
    axis.text(mean, 1.0, f"all tokens: {mean:,.0f}", transform=axis.get_xaxis_transform(), ha="center", va="bottom",
              color=common.VERMILION, fontsize=10)  # fmt: skip
    axis.grid(axis="y", visible=False)
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.set_xlabel("steps attended to, ± over chunks")
    axis.set_title("Life of tokens by class, and their number", pad=20, x=0, ha="left")
    return made


def spoken(name):
    """A sign in quotation marks, which is else lost beside an axis."""
    return f"“{name}”" if len(name) == 1 else name


if __name__ == "__main__":
    common.main(draw, __doc__)
