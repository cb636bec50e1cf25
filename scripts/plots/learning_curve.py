#!/usr/bin/env python3
"""Training loss, validation metric and training speed over the updates, from /train and /eval/validation_curve."""

import common
import numpy as np


def smooth(values, window):
    """Mean over a centred window, shorter at the ends."""
    kernel = np.ones(window)
    weights = np.convolve(np.ones(len(values)), kernel, mode="same")
    return np.convolve(values, kernel, mode="same") / weights


def draw_loss(axis, run, train, validation):
    loss, step = train["loss"], train["step"]
    if len(loss) >= 40:
        axis.plot(step, loss, color=common.BLUE, alpha=0.3, linewidth=1)
        axis.plot(step, smooth(loss, max(5, len(loss) // 20)), color=common.BLUE, label="training, moving mean")
    else:
        axis.plot(step, loss, color=common.BLUE, label="training")
    if validation is not None and "loss" in validation:
        axis.plot(
            validation["step"], validation["loss"], color=common.VERMILION, marker="o", markersize=4, label="validation"
        )
    axis.set_title(f"Loss (nat per {'token' if run.validated_by in ('perplexity', 'BLEU') else 'example'})")
    axis.legend(loc="best", ncols=2)


def metric_of(validation):
    """Name and values of what the best checkpoint is chosen by."""
    name = "value" if "value" in validation else "accuracy"
    return validation[name] if name in validation else None


DIAMOND = {"marker": "D", "markersize": 6, "linestyle": "none", "zorder": 6}  # an accuracy on test


def at_edge(axis):
    """For what is of the test examples: at the right edge, so that no line of it crosses a validation curve."""
    return {"transform": axis.get_yaxis_transform(), "clip_on": False}


def draw_floors(axis, floors):
    """A dash for each (name, value), the highest first."""
    for style, (name, value) in zip(("-", (0, (1, 1))), floors):
        words = f"floor: {name.replace('logistic regression on ', '')} (test)"
        look = {"color": common.GREY, "linestyle": style, "linewidth": 2.2}
        axis.plot([0.97, 1.03], [value] * 2, **look, label=words, **at_edge(axis))


def draw_metric(axis, run, validation):
    values, step = metric_of(validation), validation["step"]
    axis.plot(step, values, color=common.VERMILION, marker="o", markersize=4, label="validation")
    if "standard_error" in validation:
        error = validation["standard_error"]
        axis.fill_between(step, values - error, values + error, color=common.VERMILION, alpha=0.2, linewidth=0)
    draw_floors(axis, [(floor.row, floor.value) for floor in run.floors("accuracy")])
    if accuracy := run.figures.get("accuracy"):
        error = [np.nan_to_num(accuracy.error)]
        look = {**DIAMOND, **at_edge(axis), "color": common.BLACK, "capsize": 3}
        axis.errorbar([1], [accuracy.value], yerr=error, **look, label="accuracy on test")
    axis.set_title(f"{run.validated_by[0].upper()}{run.validated_by[1:]} ± standard error")
    common.metric_axis(axis, run.validated_by)
    axis.margins(y=0.1)
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)


def draw_speed(axis, train):
    axis.plot(train["step"], train["tokens_per_second"] / 1000, color=common.GREEN)
    axis.set_ylim(bottom=0)
    axis.set_title("Training speed (thousand tokens per second)")


def draw(run):
    train, validation = run.table("/train"), run.table("/eval/validation_curve")
    panels = []
    if train is not None and "loss" in train:
        panels.append(lambda axis: draw_loss(axis, run, train, validation))
    if validation is not None and metric_of(validation) is not None:
        panels.append(lambda axis: draw_metric(axis, run, validation))
    if train is not None and "tokens_per_second" in train:
        panels.append(lambda axis: draw_speed(axis, train))
    if not panels:
        return None
    made, axes = common.figure(len(panels), heights=2.4, sharex=True)
    for axis, panel in zip(axes, panels):
        panel(axis)
        axis.tick_params(labelbottom=True)
    common.updates_axis(axes[-1])
    return made


if __name__ == "__main__":
    common.main(draw, __doc__)
