#!/usr/bin/env python3
"""Time and tokens a second against the length of the sequence, in training or inference, and the speed relative to
each reference at the same length."""

import common
import scaling

PHASES = ("train", "infer")
WORDS = {"train": "a training step", "infer": "an inference"}


def draw(runs, phase="train"):
    """None where fewer than two lengths were timed."""
    seconds, rate = f"{phase}_seconds", f"{phase}_tokens_per_second"
    cells = scaling.Cells(runs, (seconds, rate))
    if len(cells.lengths) < 2:
        return None
    made, axes = scaling.start(cells, 2 + len(cells.to))
    scaling.draw_metric(axes[0], cells, seconds, 1, f"Seconds of {WORDS[phase]} (median; bars: least, most)")
    scaling.draw_guides(axes[0], cells)
    scaling.draw_metric(axes[1], cells, rate, 1000, "Thousand tokens a second; flat: linear growth of time")
    for axis, short in zip(axes[2:], cells.to):
        scaling.draw_ratio(axis, cells, seconds, short, False, f"Speed, times {cells.to[short]} at the same length")
    return scaling.finish(made, axes, cells)


if __name__ == "__main__":
    common.main_of_runs(draw, __doc__, phase=PHASES)
