#!/usr/bin/env python3
"""Test accuracy against Luna's projection length l: mean and spread over seeds, the other attentions, the floors and
the published figures as reference lines. Where they lie far apart, a second panel shows all of them."""

import re

import common
import numpy as np

NEAR = 0.012  # the first panel reaches so far beyond Luna's own figures


def draw(cases):
    """None unless some line has two projection lengths at one length of the examples."""
    lines = lunas(cases)
    if not any(len(members) > 1 for members in lines.values()) or len({case.length for case in cases}) > 1:
        return None
    marks = [*baselines(cases), *floors(cases), *published_transformer(cases)]
    near, whole = extent(lines, marks)
    made, axes = common.figure(1 if whole is None else 2, heights=3.5)
    for axis, (low, high) in zip(axes, (near, whole)):
        for (name, members), look in zip(lines.items(), common.styles(lines).values()):
            draw_luna(axis, name, members, look)
        shown = [mark for mark in marks if low <= mark[0] <= high]
        for mark in shown:
            draw_mark(axis, *mark)
        finish(axis, sorted({c.projection_length for members in lines.values() for c in members}), low, high)
        label_right(axis, shown, low, high)
    axes[0].set_title("Test accuracy against projection length" + ("" if whole is None else ", near Luna"))
    if whole is not None:
        axes[1].set_title("The same with all reference lines")
    common.legend(made, axes[:1], columns=1)
    return made


def lunas(cases):
    """Cases with a projection length and an accuracy, by the name of their line: {name: [case, …] by length}."""
    lines = {}
    for case in cases:
        if case.projection_length is not None and case.estimate("accuracy"):
            name = re.sub(r"[\s-]*\d+", "", re.sub(r"projection_length=\d+", "", case.series)).strip() or "Luna"
            lines.setdefault(name, []).append(case)
    return {name: sorted(members, key=lambda case: case.projection_length) for name, members in lines.items()}


def extent(lines, marks):
    """(low, high) of the panel near Luna, and of the one with everything, None where the first shows that too."""
    ours = [(e.mean, np.nan_to_num(e.spread)) for m in lines.values() for c in m if (e := c.estimate("accuracy"))]
    said = [value for members in lines.values() for case in members for value, _ in case.published("accuracy")]
    low = min([mean - spread for mean, spread in ours] + said) - NEAR
    high = max([mean + spread for mean, spread in ours] + said) + NEAR / 2
    values = [mark[0] for mark in marks]
    if all(low <= value <= high for value in values):
        return (low, high), None
    least, most = min([low, *values]), max([high, *values])
    return (low, high), (least - 0.05 * (most - least), most + 0.05 * (most - least))


def draw_luna(axis, name, members, look):
    lengths = np.array([case.projection_length for case in members])
    estimates = [case.estimate("accuracy") for case in members]
    over_seeds = {e.over_seeds for e in estimates}
    what = {True: "± s.d. over seeds", False: "± s.e. over examples (one seed)"}
    what = what[over_seeds.pop()] if len(over_seeds) == 1 else "± s.d. over seeds, s.e. where there is one"
    error = np.nan_to_num([e.spread for e in estimates])
    axis.errorbar(lengths, [e.mean for e in estimates], yerr=error, **look, capsize=4, zorder=5, label=f"{name}, {what}")
    for case in members:
        values = [figure.value for figure in case.figures("accuracy")]
        if len(values) > 1:
            axis.plot([case.projection_length] * len(values), values, ".", color=look["color"], markersize=4, alpha=0.6)
    said = [(case.projection_length, value) for case in members for value, _ in case.published("accuracy")]
    if said:
        axis.plot(*zip(*said), linestyle=":", marker="D", markerfacecolor="white", color=look["color"], markersize=7,
                  label=f"{name}, published")  # fmt: skip


def baselines(cases):
    """(height, spread, words, look) of the other attentions."""
    others = [case for case in cases if case.projection_length is None and case.estimate("accuracy")]
    looks = common.styles([c.series for c in others], [c.series for c in others if c.is_transformer])
    for case in others:
        estimate = case.estimate("accuracy")
        words = f"{case.series} {100 * estimate.mean:.2f}"
        yield estimate.mean, estimate.spread, words, common.line_look(looks[case.series])


def floors(cases):
    """A line for each value of each floor."""
    found = {(floor.row, round(floor.mean, 4)): floor for case in cases for floor in case.floors("accuracy")}
    for style, floor in zip(("--", ":", "-."), sorted(found.values(), key=lambda floor: -floor.mean)):
        words = f"floor: {floor.row.replace('logistic regression on ', '')} {100 * floor.mean:.2f}"
        yield floor.mean, np.nan, words, dict(color=common.GREY, linestyle=style)


def published_transformer(cases):
    """The paper's own reference."""
    for value in {value for case in cases if case.is_transformer for value, _ in case.published("accuracy")}:
        words = f"Transformer, published {100 * value:.2f}"
        yield value, np.nan, words, dict(color=common.BLACK, linestyle=":")


def draw_mark(axis, value, spread, words, look):
    axis.axhline(value, **look, linewidth=1.4)
    if np.isfinite(spread) and spread > 0:
        axis.axhspan(value - spread, value + spread, color=look["color"], alpha=0.1, linewidth=0)


def finish(axis, lengths, low, high):
    axis.set_xscale("log", base=2)
    axis.set_xticks(lengths, [str(l) for l in lengths])
    axis.set_xticks([], minor=True)
    axis.set_xlim(min(lengths) / 1.5, max(lengths) * 1.5)
    axis.set_ylim(low, high)
    axis.set_xlabel("projection length l (log scale)")
    common.percent_axis(axis)


def label_right(axis, marks, low, high):
    """Words beside the axis at their heights, pushed apart where they would overlap."""
    step = (high - low) * 0.075
    marks = sorted(marks, key=lambda mark: (mark[0], mark[2]))
    places = [mark[0] for mark in marks]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + step)
    for i in range(len(places)):  # back under the top, as far as it takes
        places[i] = min(places[i], high - step * (len(places) - 1 - i))
    for place, (value, _, words, _) in zip(places, marks):
        axis.annotate(
            words, (1, value), (1.07, place), xycoords=("axes fraction", "data"), textcoords=("axes fraction", "data"),
            va="center", fontsize=9.5, annotation_clip=False,
            arrowprops=dict(arrowstyle="-", color="#999999", linewidth=0.7, relpos=(0, 0.5), shrinkA=1, shrinkB=0),
        )  # fmt: skip


if __name__ == "__main__":
    common.main_of_runs(draw, __doc__)
