"""Panels of a figure against the length of the sequence, on logarithmic axes: what speed_by_length and
memory_by_length have in common."""

import common
import numpy as np
from cases import lengths_of, series_of


class Cells:
    """The cases that have some figure of a phase, how each series looks, and what they are compared with."""

    def __init__(self, cases, metrics):
        self.cases = [case for case in cases if case.length and any(case.estimate(m) for m in metrics)]
        self.lengths = lengths_of(self.cases)
        self.names = series_of(self.cases)
        references = [case for case in self.cases if case.label in case.experiment.references.values()]
        self.looks = common.styles(self.names, series_of(references))

    def compared(self, words):
        """{name of a ratio: title} of the comparisons that the experiment asks for and some case has; `words` by figure."""
        known = {name for case in self.cases for name in case.row["figures"] if case.estimate(name)}
        titles = {}
        for experiment in dict.fromkeys(case.experiment for case in self.cases):
            for column in experiment.comparisons:
                if column["metric"] in words and column["name"] in known:
                    what, label = words[column["metric"]], experiment.references[column["reference"]]
                    fraction, times = f"{what}, fraction of {label}'s", f"{what}, times {label} at the same length"
                    titles[column["name"]] = times if column["kind"] == "speedup" else fraction
        return titles

    def lines(self, value_of):
        """(series, lengths, values, below, above) where value_of(case) gives a value and how far its error bar reaches
        below and above it."""
        for name in self.names:
            points = [(case.length, *held) for case in self.cases if case.series == name and (held := value_of(case))]
            if points:
                yield name, *(np.array(column) for column in zip(*sorted(points)))


def start(cells, panels):
    """A column of panels over the same lengths."""
    rows = 0.21 * (len(cells.names) / common.legend_columns(cells.names) + 1)
    made, axes = common.plt.subplots(
        panels, 1, figsize=(common.WIDTH, 2.75 * panels + rows + 0.3), sharex=True, squeeze=False
    )
    made.get_layout_engine().set(h_pad=0.1)
    return made, list(axes[:, 0])


def finish(made, axes, cells):
    for axis in axes:
        common.length_axis(axis, cells.lengths, "")
        axis.tick_params(labelbottom=True)
    axes[-1].set_xlabel("tokens of a sequence (n), log scale")
    common.legend(made, axes)
    return made


def draw_lines(axis, cells, value_of):
    for name, lengths, values, below, above in cells.lines(value_of):
        error = np.nan_to_num([below, above]) if np.isfinite([below, above]).any() else None
        axis.errorbar(lengths, values, yerr=error, **cells.looks[name], linewidth=1.4, capsize=3, label=name)


def draw_metric(axis, cells, metric, scale, title):
    """A figure itself, on two logarithmic axes; its error bar is the range of the repetitions, else the spread over
    seeds."""

    def value_of(case):
        estimate = case.estimate(metric)
        if estimate is None or not estimate.mean > 0:
            return None
        if held := case.repetitions(metric):
            least, most, _ = held
            return estimate.mean / scale, (estimate.mean - least) / scale, (most - estimate.mean) / scale
        spread = estimate.spread / scale if estimate.over_seeds else np.nan
        return estimate.mean / scale, spread, spread

    draw_lines(axis, cells, value_of)
    common.log_axis(axis)
    common.title(axis, title)


def draw_guides(axis, cells):
    """How linear and quadratic growth would look from beneath the lowest line on."""
    values = [y for line in axis.get_lines() for y in np.atleast_1d(line.get_ydata()) if y > 0]
    if not values or len(cells.lengths) < 2:
        return
    lengths = np.array([cells.lengths[0], cells.lengths[-1]], float)
    base = min(values) * 0.72
    for power, style, words in ((1, ":", "guide: linear growth"), (2, "-.", "guide: quadratic growth")):
        growth = base * (lengths / lengths[0]) ** power
        axis.plot(lengths, growth, color=common.GREY, linestyle=style, linewidth=1.1, label=words)


def draw_ratio(axis, cells, name, title):
    """Ratio to a reference at the same length, 1 being the reference itself, and what is published of it: hollow."""

    def value_of(case):
        held = case.estimate(name)
        return held and (held.mean, held.spread, held.spread)

    draw_lines(axis, cells, value_of)
    draw_published(axis, cells, name)
    axis.axhline(1, color=common.GREY, linewidth=1)
    common.log_axis(axis)
    common.title(axis, title)


def draw_published(axis, cells, name):
    hollow = {"linestyle": "none", "markerfacecolor": "white", "markersize": 6.5}
    for case in cells.cases:
        look = cells.looks[case.series]
        for value, _ in case.published(name):
            axis.plot([case.length], [value], **hollow, marker=look["marker"], markeredgecolor=look["color"])
    if any(case.published(name) for case in cells.cases):
        axis.plot([], [], **hollow, marker="o", markeredgecolor=common.GREY, label="hollow: published")
