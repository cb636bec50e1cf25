#!/usr/bin/env python3
"""Test accuracy against the bytes or tokens of an example that a model reads (encoding.max_length), a line a model,
with the floors at each length."""

import common
import numpy as np
from cases import lengths_of, series_of

FAR = 0.04


def draw(cases):
    """None unless the accuracy is known at two lengths."""
    cases = [case for case in cases if case.estimate("accuracy") and case.length]
    if len(lengths_of(cases)) < 2:
        return None
    names = series_of(cases)
    looks = common.styles(names, series_of([case for case in cases if case.is_transformer]))
    made, (axis,) = common.figure(1, heights=3.6 + 0.13 * len(names))
    for at, name in enumerate(names):
        members = sorted((case for case in cases if case.series == name), key=lambda case: case.length)
        estimates = [case.estimate("accuracy") for case in members]
        # Beside each other by two per cent, so that error bars of equal lengths stay apart.
        shift = 1.02 ** (at - (len(names) - 1) / 2)
        axis.errorbar(
            [case.length * shift for case in members],
            [e.mean for e in estimates],
            yerr=np.nan_to_num([e.spread for e in estimates]),
            **looks[name],
            capsize=3,
            linewidth=1.4,
            label=name,
        )
    draw_floors(axis, cases, axis.get_ylim()[0])
    read = f"{cases[0].runs[0].symbol}s (with special tokens) that the model reads at most"
    common.length_axis(axis, lengths_of(cases), read)
    axis.set_title("Test accuracy ± spread against length")
    common.percent_axis(axis)
    common.legend(made, [axis], columns=1 if len(names) < 5 else 2)
    return made


def draw_floors(axis, cases, low):
    """A floor that lies far beneath all models is named in the legend only, since it would flatten the rest."""
    floors = {}
    for case in cases:
        for floor in case.floors("accuracy"):
            floors.setdefault(f"floor: {floor.row}", {})[case.length] = floor.mean
    for style, (words, values) in zip(("--", ":"), floors.items()):
        if max(values.values()) < low - FAR:
            held = f"{100 * min(values.values()):.4g}–{100 * max(values.values()):.4g}"
            held = held.split("–")[0] if len(set(values.values())) == 1 else held
            axis.plot([], [], " ", label=f"{words}: {held} %, below the picture")
        else:
            axis.plot(*zip(*sorted(values.items())), color=common.GREY, linestyle=style, linewidth=1.6, label=words)


if __name__ == "__main__":
    common.main_of_runs(draw, __doc__)
