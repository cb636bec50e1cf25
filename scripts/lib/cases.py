"""The rows of an experiment's table, as `attnlab table` makes them: a case with its seeds, what they reached together,
what it is compared with."""

import math
import re
from dataclasses import dataclass

import numpy as np

TRANSFORMERS = ("softmax", "textbook", "fused")
LENGTHS = ("length", "encoding.max_length")  # options that bound what is read of an example
SWEPT = re.compile(r'(^|\s+)(?:\w+\.)*(\w+)=("[^"]*"|\S+)')  # key=value in the name of a case


@dataclass
class Estimate:
    """A figure of a row: the mean over its finished runs; `spread` is the sample standard deviation over seeds, or of
    a single run its standard error (`over_seeds` is then false). `quartiles`: lower, median and upper, of
    times and speeds over five runs or more, or of one over five of its rounds or more, else none. `row`: what a floor is called."""

    name: str
    mean: float
    spread: float
    over_seeds: bool
    n: int
    unit: str
    better: str
    row: str
    quartiles: tuple = ()


def estimate(experiment, row, metric):
    """None where the row has no such figure."""
    held = row["figures"].get(metric)
    if held is None or held["value"] is None:
        return None
    spreads = [held[kind] for kind in ("deviation", "standard_error") if held[kind] is not None]
    quartiles = tuple(held.get(kind) for kind in ("lower_quartile", "median", "upper_quartile"))
    known = experiment.figures.get(metric, {"unit": "1", "better": "neither", "row": ""})  # ratios are no headlines
    return Estimate(
        metric, held["value"], spreads[0] if spreads else math.nan, held["deviation"] is not None, held["runs"],
        known["unit"], known["better"], known["row"], quartiles if metric in experiment.timed and None not in quartiles else (),
    )  # fmt: skip


def above(metric, floor):
    """The figure of how far one lies above a floor of its, example by example: accuracy_above_byte_counts."""
    return f"{metric}_above_{floor.removeprefix(f'{metric}_')}"


def published(experiment, row, metric):
    """[(figure, name of the paper's row)]. What is printed as a percentage is returned as a fraction, as our own figures
    are."""
    scale = 0.01 if experiment.published["unit"] == "%" else 1.0
    return [(scale * said["value"], said["row"]) for said in row["published"].get(metric, [])]


class Case:
    """The runs that differ in nothing but their seed."""

    def __init__(self, experiment, row, runs):
        self.experiment, self.row = experiment, row
        self.runs = sorted(runs, key=lambda run: run.seed)
        for run in runs:
            run.case = self
        self.name = short(row["name"])  # as readers see it
        self.label, self.condition, self.missing_seeds = (row[key] for key in ("label", "condition", "missing_seeds"))
        self.length = self.runs[0].length
        self.series = self.named_without(LENGTHS) or experiment.name

    def named_without(self, keys):
        """Its label and swept values, but those of some keys."""
        swept = (f"{key}={value}" for key, value in self.condition.items() if key not in keys)
        return short(" ".join(filter(None, [self.label, *swept])))

    @property
    def done(self):
        return [run for run in self.runs if run.status == "done"]

    def figures(self, metric):
        return [run.figures[metric] for run in self.done if metric in run.figures]

    def estimate(self, metric):
        """None where no finished run has the figure."""
        return estimate(self.experiment, self.row, metric)

    def floors(self, metric):
        """Estimates of the floors of a figure, the highest first."""
        names = [name for name, figure in self.experiment.figures.items() if figure["floor_of"] == metric]
        return sorted((e for name in names if (e := self.estimate(name))), key=lambda e: -e.mean)

    def published(self, metric):
        """[(figure, name of the row)] of the paper's rows about this case."""
        return published(self.experiment, self.row, metric)

    def repetitions(self, metric):
        """(least, most, how many) of the repetitions behind a time such as train_seconds, from /speed; None where the
        record has none."""
        phase, _, column = metric.partition("_")
        tables = [table for run in self.done if (table := run.table("/speed")) is not None]
        tables = [table for table in tables if "phase" in table and column in table]
        held = [table[column][table["phase"] == phase] for table in tables]
        times = np.concatenate(held) if held else np.array([])
        return (float(times.min()), float(times.max()), len(times)) if len(times) else None

    def setting(self, path, default=None):
        return self.runs[0].setting(path, default)

    @property
    def is_transformer(self):
        return self.setting("model.encoder.attention.type") in TRANSFORMERS

    @property
    def projection_length(self):
        """Luna's l; None where the attention is no Luna."""
        if self.setting("model.encoder.attention.type") != "luna":
            return None
        return self.setting("model.encoder.attention.projection_length")


def short(label):
    """A case as readers see it: `tova cache.share="1/8"` is tova, share 1/8."""

    def in_words(found):
        before, key, value = found.groups()
        return f"{', ' if before else ''}{key.replace('_', ' ')} " + value.strip('"')

    return SWEPT.sub(in_words, label).replace("attention {type: ", "{").strip()


def series_of(cases):
    """Names of the lines in a plot, in the order of the cases."""
    return list(dict.fromkeys(case.series for case in cases))


def lengths_of(cases):
    return sorted({case.length for case in cases if case.length is not None})
