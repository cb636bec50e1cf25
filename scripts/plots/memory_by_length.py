#!/usr/bin/env python3
"""Peak memory of a step against the length of the sequence, in training or inference, by the allocator and resident,
and relative to the references that the experiment compares with."""

import common
import scaling
from speed_by_length import PHASES, WORDS


def draw(cases, phase="train"):
    """None where fewer than two lengths were measured."""
    peaks = {f"{phase}_allocator_peak": "by the allocator", f"{phase}_resident_peak": "resident"}
    cells = scaling.Cells(cases, peaks)
    if len(cells.lengths) < 2:
        return None
    # What nobody measured (resident memory of a GPU's step) gets no panel.
    peaks = {name: words for name, words in peaks.items() if any(has(case, name) for case in cells.cases)}
    if not peaks:
        return None
    compared = cells.compared({name: f"Peak {words}" for name, words in peaks.items()})
    made, axes = scaling.start(cells, len(peaks) + len(compared))
    for axis, (name, words) in zip(axes, peaks.items()):
        scaling.draw_metric(axis, cells, name, 2**20, f"Peak of {WORDS[phase]}, {words} (MiB)")
        scaling.draw_guides(axis, cells)
    for axis, (name, title) in zip(axes[len(peaks) :], compared.items()):
        scaling.draw_ratio(axis, cells, name, title)
    return scaling.finish(made, axes, cells)


def has(case, name):
    estimate = case.estimate(name)
    return estimate is not None and estimate.mean > 0


if __name__ == "__main__":
    common.main_of_runs(draw, __doc__, phase=PHASES)
