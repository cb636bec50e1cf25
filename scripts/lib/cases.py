"""The runs of an experiment by row: a case with its seeds, what they reached together, what it is compared with."""

import math
import re
from dataclasses import dataclass

import numpy as np
from runs import LENGTHS, assignments, describe, without_keys

TRANSFORMERS = ("softmax", "textbook", "fused")


@dataclass
class Estimate:
    """A figure of a case: the mean over its finished runs; `spread` is the sample standard deviation over seeds, or of
    a single run its standard error over examples (`over_seeds` is then false)."""

    mean: float
    spread: float
    n: int
    least: float
    most: float
    over_seeds: bool
    unit: str
    better: str = "neither"


class Case:
    """The runs that differ in nothing but their seed. `variant`: assignments that are part of its label, since they
    were made on the command line and not by the sweep."""

    def __init__(self, runs, variant=()):
        self.runs = sorted(runs, key=lambda run: run.seed)
        first = self.runs[0]
        self.label = " ".join([first.label or first.experiment, *variant])
        self.name = short(self.label)  # as readers see it
        self.length = first.length
        self.series = short(without_keys(self.label, LENGTHS)) or first.experiment
        self.model = without_keys(self.label, assignments(self.label)) or self.label
        self.conditions = {key: value for key, value in assignments(self.label).items() if key not in LENGTHS}

    @property
    def done(self):
        return [run for run in self.runs if run.status == "done"]

    def figures(self, metric):
        return [run.figures[metric] for run in self.done if metric in run.figures]

    def estimate(self, metric):
        """None where no finished run has the figure."""
        figures = self.figures(metric)
        if not figures:
            return None
        values = np.array([figure.value for figure in figures])
        several = len(values) > 1
        spread = float(np.std(values, ddof=1)) if several else figures[0].error
        return Estimate(
            float(values.mean()), spread, len(values), values.min(), values.max(), several, figures[0].unit,
            figures[0].better,
        )  # fmt: skip

    def published(self, metric):
        """[(figure, name of the row)] of the paper's rows about this case."""
        return published_figures(self.runs[0].published, metric, this_case=True)

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


def published_figures(source, metric, this_case):
    """[(figure, name of the row)] of the rows that are about the case, or of those that are not. What is printed as a
    percentage is returned as a fraction, as our own figures are."""
    scale = 0.01 if source.get("unit") == "%" else 1.0
    rows = [row for row in source.get("rows", []) if bool(row.get("this_case")) == this_case]
    return [(scale * row["figures"][metric], row["name"]) for row in rows if metric in row.get("figures", {})]


def short(label):
    """A label whose dotted keys are cut to their last word: the type of an attention needs no path."""
    return re.sub(r"[\w.]+\.(\w+)=", r"\1=", label).replace("attention={type: ", "{").strip()


def natural(text):
    """Sorts Luna-16 before Luna-128."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part.lower()) for part in re.split(r"(\d+)", text)]


def readable(runs):
    return [run for run in runs if run.status != "unreadable"]


def cases_of(runs):
    """The cases of an experiment's readable runs: Transformers first, then by name, then by length."""
    groups = {}
    for run in readable(runs):
        groups.setdefault((run.label, without_keys(run.text("case"), ("seed",)), run.length), []).append(run)
    keys = overridden(groups.values())
    cases = []
    for members in groups.values():
        variants = {}
        for run in members:
            held = flat(run.config)
            variants.setdefault(tuple(f"{key}={held[key]}" for key in keys if key in held), []).append(run)
        cases += [Case(some, variant) for variant, some in variants.items()]
    first = list(references(cases).values())

    def order(case):
        place = first.index(case.model) if case.model in first else len(first) + (not case.is_transformer)
        return (place, natural(case.series), case.length or 0)

    return sorted(cases, key=order)


# Options that cannot change a figure, or that a row's name or the seed stands for.
NO_MATTER = (
    "seed", "threads", "name", "description", "published", "results_folder", "data_folder", "profile.steps",
    "train.log_interval", "train.save", "train.checkpoint_interval", "train.checkpoint_seconds", "evaluation.batch_size",
)  # fmt: skip


def flat(config, path=""):
    """A resolved configuration as {key path: value in one line}."""
    values = {}
    for key, value in config.items():
        if isinstance(value, dict):
            values.update(flat(value, f"{path}{key}."))
        else:
            values[path + key] = describe(value)
    return values


def overridden(groups):
    """Keys that differ within a group of runs of one name: a sweep repeated with overrides, on another device say."""
    keys = []
    for members in groups:
        values = {}
        for run in members:
            for key, value in flat(run.config).items():
                values.setdefault(key, set()).add(value)
        keys += [key for key, held in values.items() if len(held) > 1 and key not in NO_MATTER]
    return list(dict.fromkeys(keys))


def series_of(cases):
    """Names of the lines in a plot, in the order of the cases."""
    return list(dict.fromkeys(case.series for case in cases))


def comparison(cases):
    """What the experiment compares, as the first run that knows it says; older records do not."""
    return next((held for case in cases if (held := case.runs[0].compare)), {})


def published_of(cases):
    """What the experiment names as published, as the first run that knows it says."""
    return next((held for case in cases if (held := case.runs[0].published)), {})


def references(cases):
    """{short name: label} of what the experiment compares with."""
    return comparison(cases).get("to", {})


def reference_of(case, label, cases):
    """The case of that label that differs from this one in nothing else; None where it has no record."""
    for other in cases:
        if other.model == label and (other.conditions, other.length) == (case.conditions, case.length):
            return other
    return None


def ratio(above, below, metric):
    """(mean of one case / mean of the other, its spread): the relative spreads over seeds, added in squares, NaN where
    there is a single run of each. None where either has no figure."""
    if above is None or below is None:
        return None
    one, other = above.estimate(metric), below.estimate(metric)
    if one is None or other is None or not other.mean > 0:
        return None
    relative = [e.spread / e.mean for e in (one, other) if e.mean and e.over_seeds]
    return one.mean / other.mean, one.mean / other.mean * math.hypot(*relative) if relative else math.nan


def lengths_of(cases):
    return sorted({case.length for case in cases if case.length is not None})


def missing_seeds(case, cases):
    """Seeds that other cases have a record of and this one has not."""
    return sorted({run.seed for other in cases for run in other.runs} - {run.seed for run in case.runs})
