#!/usr/bin/env python3
"""Time and tokens a second against the length of the sequence, in training or inference, and the speed relative to
the references that the experiment compares with."""

import common
import scaling

PHASES = ("train", "infer")
WORDS = {"train": "a training step", "infer": "an inference"}


def draw(cases, phase="train"):
    """None where fewer than two lengths were timed."""
    seconds, rate = f"{phase}_seconds", f"{phase}_tokens_per_second"
    cells = scaling.Cells(cases, (seconds, rate))
    if len(cells.lengths) < 2:
        return None
    compared = cells.compared({seconds: "Speed", rate: "Tokens a second"})
    made, axes = scaling.start(cells, 2 + len(compared))
    scaling.draw_metric(axes[0], cells, seconds, 1, f"Seconds of {WORDS[phase]} (median; bars: least, most)")
    scaling.draw_guides(axes[0], cells)
    scaling.draw_metric(axes[1], cells, rate, 1000, "Thousand tokens a second; flat: linear growth of time")
    for axis, (name, title) in zip(axes[2:], compared.items()):
        scaling.draw_ratio(axis, cells, name, title)
    return scaling.finish(made, axes, cells)


if __name__ == "__main__":
    common.main_of_runs(draw, __doc__, phase=PHASES)
