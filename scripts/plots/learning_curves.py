#!/usr/bin/env python3
"""Validation accuracy or perplexity over the updates, case beside case: the mean over the seeds, and every seed as a
thin line. What is of the test examples, the mean accuracy and its floors, stands at the right edge.

Up to six cases share a panel; more get a panel each, with the means of the others in grey behind."""

import math

import common
import numpy as np
from learning_curve import DIAMOND, at_edge, draw_floors, metric_of

TOGETHER = 6


def curves_of(case):
    """(steps, values, whether the run is done) of every run of a case that has been validated."""
    tables = [(run.table("/eval/validation_curve"), run.status == "done") for run in case.runs]
    return [(t["step"], metric_of(t), done) for t, done in tables if t is not None and metric_of(t) is not None]


def mean_curve(curves):
    """Mean over the seeds that are done (over all where none is), at the updates that each of them has."""
    finished = [curve for curve in curves if curve[2]] or curves
    steps = sorted(set.intersection(*(set(step.tolist()) for step, _, _ in finished)))
    return np.array(steps), np.mean([values[np.isin(step, steps)] for step, values, _ in finished], axis=0)


def draw_case(axis, curves, look, label):
    """Thin lines for the seeds under a thick one for their mean; markers on that, at most ten."""
    for step, values, _ in curves if len(curves) > 1 else ():
        axis.plot(step, values, color=look["color"], linewidth=0.8, alpha=0.55)
    step, values = mean_curve(curves)
    axis.plot(step, values, **look, markevery=max(1, len(step) // 10), label=f"{label}, {seeds(curves)}")


def seeds(curves):
    done = sum(finished for _, _, finished in curves)
    if done < len(curves):
        return f"{done} of {len(curves)} done"
    return "1 seed" if done == 1 else f"{done} seeds"


def draw_test(axis, cases, everyone, looks):
    """At the right edge a diamond for the accuracy of each case on test, and beside it a dash for the highest of each floor
    among everyone: floors are of the test examples too, so that no line of theirs crosses a validation curve."""
    floors = {}
    for floor in (floor for case in everyone for floor in case.floors("accuracy")):
        floors[floor.name] = max(floor, floors.get(floor.name, floor), key=lambda held: held.mean)
    draw_floors(axis, [(floor.row, floor.mean) for floor in sorted(floors.values(), key=lambda held: -held.mean)])
    accuracies = [(case, found.mean) for case in cases if (found := case.estimate("accuracy"))]
    for case, mean in accuracies:
        axis.plot([1], [mean], **DIAMOND, color=looks[case.series]["color"], **at_edge(axis))
    if accuracies:
        axis.plot([], [], **DIAMOND, color=common.GREY, label="accuracy on test")


def draw(cases):
    """None where fewer than two runs have a curve."""
    cases = [(case, curves) for case in cases if (curves := curves_of(case))]
    if sum(len(curves) for _, curves in cases) < 2:
        return None
    names = [case.series for case, _ in cases]
    looks = common.styles(names, [case.series for case, _ in cases if case.is_transformer])
    return together(cases, looks) if len(cases) <= TOGETHER else apart(cases, looks)


def together(cases, looks):
    made, (axis,) = common.figure(1, heights=3.4 + 0.12 * len(cases))
    for case, curves in cases:
        draw_case(axis, curves, looks[case.series], case.series)
    shown = [case for case, _ in cases]
    draw_test(axis, shown, shown, looks)
    axis.set_title(f"Validation {cases[0][0].runs[0].validated_by}")
    common.updates_axis(axis)
    common.metric_axis(axis, cases[0][0].runs[0].validated_by)
    common.legend(made, [axis])
    return made


def apart(cases, looks):
    rows = math.ceil(len(cases) / 2)
    made, axes = common.plt.subplots(
        rows, 2, figsize=(common.WIDTH, 1.75 * rows + 0.8), sharex=True, sharey=True, squeeze=False
    )
    means = [mean_curve(curves) for _, curves in cases]
    for axis, (case, curves) in zip(axes.flat, cases):
        for step, values in means:
            axis.plot(step, values, color="#bbbbbb", linewidth=0.7)
        draw_case(axis, curves, {**looks[case.series], "markersize": 4}, "")
        draw_test(axis, [case], [one for one, _ in cases], looks)
        axis.set_title(f"{case.series}, {seeds(curves)}" if len(case.series) < 24 else case.series, fontsize=10.5)
        common.metric_axis(axis, case.runs[0].validated_by)
    for axis in axes.flat[len(cases) :]:
        axis.set_visible(False)
    for axis in axes.flat[max(0, len(cases) - 2) : len(cases)]:
        common.updates_axis(axis)
        axis.tick_params(labelbottom=True)
    drawn = {str(line.get_label()): line for axis in axes.flat for line in axis.get_lines()}
    handles = [line for label, line in drawn.items() if label.startswith(("floor", "accuracy on test"))]
    if handles and len(cases) % 2:
        axes[-1, -1].set(visible=True)
        axes[-1, -1].axis("off")
        axes[-1, -1].legend(handles=handles, loc="upper left", handlelength=2, fontsize=9)
    elif handles:
        made.legend(handles=handles, loc="outside lower center", ncols=1, handlelength=3)
    return made


if __name__ == "__main__":
    common.main_of_runs(draw, __doc__)
