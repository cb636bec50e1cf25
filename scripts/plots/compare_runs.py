#!/usr/bin/env python3
"""Validation metric over the updates of several runs in one picture: compare_runs.py RUN.h5 RUN.h5 … -o PICTURE.png"""

import argparse

import common
from learning_curve import metric_of


def draw(runs):
    """The curves of up to as many runs as there are colours; None where fewer than two have one."""
    curves = [(run.title, run.table("/eval/validation_curve")) for run in runs]
    curves = [(title, c) for title, c in curves if c is not None and metric_of(c) is not None]
    if not 2 <= len(curves) <= len(common.COLOURS):
        return None
    made, (axis,) = common.figure(1, heights=3.2 + 0.22 * len(curves))
    for (title, curve), colour, marker in zip(curves, common.COLOURS, common.MARKERS):
        axis.plot(curve["step"], metric_of(curve), color=colour, marker=marker, markersize=5, label=title)
    axis.set_title("Validation accuracy of the runs")
    axis.set_xlabel("updates")
    common.percent_axis(axis)
    axis.legend(loc="upper left", bbox_to_anchor=(0, -0.18))
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", metavar="RUN.h5", nargs="+", help="records of runs")
    parser.add_argument("-o", "--output", required=True, help="the picture")
    arguments = parser.parse_args()
    try:
        made = draw([common.Run(path) for path in arguments.runs])
    except common.NoRun as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    if made is None:
        parser.exit(1, f"{parser.prog}: this plot takes two to {len(common.COLOURS)} runs with a validation curve\n")
    common.save(made, arguments.output)


if __name__ == "__main__":
    main()
