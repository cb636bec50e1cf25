"""The experiments and runs at a place, for the report and the plots: what `attnlab table` says of them, beside the
attributes and tables of each run.h5. results/README.md is the schema."""

import functools
import json
import math
import os
import pathlib
import urllib.parse
from dataclasses import dataclass

import h5py
import numpy as np
import yaml
from cases import LENGTHS, Case, short
from program import NoRun, tables


# Tables of a row a thing that figures are means over; the first column names the thing.
OF_THINGS = ("/eval/test", "/eval/validation", "/shares", "/translations/test", "/translations/validation")


@dataclass
class Figure:
    """A headline figure of a run. A floor names the figure that it is a floor for (`floor_of`) and itself (`row`)."""

    name: str
    value: float
    error: float
    n: int
    unit: str
    meaning: str
    better: str
    floor_of: str
    row: str


def figure(name, told):
    value, error = (math.nan if told[key] is None else told[key] for key in ("value", "standard_error"))
    return Figure(name, value, error, *(told[key] for key in ("n", "unit", "meaning", "better", "floor_of", "row")))


class Table:
    """Columns by name, each cut to the rows that may be trusted."""

    def __init__(self, group):
        self.meaning = str(group.attrs.get("long_name", ""))
        self.columns, self.units, self.meanings = {}, {}, {}
        rows = int(group.attrs.get("rows_written", 0))
        for name, dataset in group.items():
            cells = dataset.asstr()[:rows] if h5py.check_string_dtype(dataset.dtype) else dataset[:rows]
            self.columns[name] = np.asarray(cells)
            self.units[name] = str(dataset.attrs.get("units", ""))
            self.meanings[name] = str(dataset.attrs.get("long_name", ""))

    def __len__(self):
        return min((len(cells) for cells in self.columns.values()), default=0)

    def __contains__(self, name):
        return name in self.columns

    def __getitem__(self, name):
        return self.columns[name]


def first_expiry(file):
    for document in file.get("cache", {}).values():
        for chunk in document.values():
            return chunk["layer"][:], chunk["expiry"][:].astype(np.int64)
    return None


class Run:
    """One record; its file is read when something of it is asked for. `case`: the row that it is part of, None where it
    cannot be read."""

    def __init__(self, experiment, told):
        self.experiment, self.case = experiment, None
        self.path = pathlib.Path(os.fsdecode(urllib.parse.unquote_to_bytes(told["record"]).removeprefix(b"file://")))
        self.id, self.status, self.error, self.seed = (told[key] for key in ("id", "status", "error", "seed"))
        self.title = short(told["name"]) or self.id
        self.figures = {name: figure(name, held) for name, held in told["figures"].items()}
        self._tables = {}

    def _read(self, what):
        """what(file), without a lock: the file is replaced whole, never changed, and some file systems have no locks."""
        try:
            with h5py.File(self.path, "r", locking=False) as file:
                return what(file)
        except FileNotFoundError:
            raise NoRun(f"there is no file {self.path}") from None
        except OSError as error:
            raise NoRun(f"{self.path} cannot be read: {error}") from None

    @functools.cached_property
    def attributes(self):
        return self._read(lambda file: dict(file.attrs))

    def table(self, name):
        """The table where it has rows, else None."""
        if name not in self._tables:
            table = self._read(lambda file: Table(file[name]) if name in file else None)
            self._tables[name] = table if table is not None and len(table) > 0 else None
        return self._tables[name]

    def counted(self, figure):
        """What a figure's n are, "example" or "document", by a table of as many rows; empty where none is."""
        tables = (self.table(name) for name in OF_THINGS)
        return next((next(iter(table.columns)) for table in tables if table and len(table) == figure.n), "")

    @functools.cached_property
    def expiry(self):
        """Of the first chunk for which it was recorded: (numbers of the layers, expiry [layer, group, token]); None where
        no chunk was."""
        return self._read(first_expiry)

    def text(self, name):
        value = self.attributes.get(name, "")
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    @property
    def length(self):
        """Tokens of an example that are read at most; None where the task has no such option."""
        return next((n for key in LENGTHS if isinstance(n := self.setting(key), int)), None)

    @property
    def validated_by(self):
        """The figure that training is validated by."""
        if self.setting("training_bleu") == "selects":
            return "BLEU"
        return "perplexity" if self.setting("task") in ("train_lm", "translate") else "accuracy"

    @property
    def cache_policy(self):
        """Name of the rule by which a decoder's cache drops states; None where the task has no cache."""
        held = self.setting("cache.policy")
        return held.get("type") if isinstance(held, dict) else held

    def floors(self, metric):
        """The floors of a figure, the highest first."""
        found = [figure for figure in self.figures.values() if figure.floor_of == metric]
        return sorted(found, key=lambda figure: -figure.value)

    @functools.cached_property
    def config(self):
        """The resolved configuration as nested dictionaries; empty where it is missing or unreadable."""
        try:
            config = yaml.safe_load(self.text("config"))
        except yaml.YAMLError:
            return {}
        return config if isinstance(config, dict) else {}

    @property
    def symbol(self):
        """What the model reads one of at a time."""
        return "byte" if self.setting("data.type") == "imdb" else "symbol"

    def setting(self, path, default=None):
        """One value of the resolved configuration: setting("data.type")."""
        value = self.config
        for key in path.split("."):
            if not isinstance(value, dict) or key not in value:
                return default
            value = value[key]
        return value


class Experiment:
    """The records of one experiment: `runs`, and `cases`, the rows that they make, Transformers first; `floors` and
    `published_only` are the other rows. `figures`: what is known of each headline figure, by name; `comparisons`: the
    columns that hold ratios; `references`: what these are to, {short name: label}."""

    def __init__(self, told):
        self.name, self.description = told["experiment"], told["description"]
        self.departures = told.get("departures", [])
        self.published = told["published"] or {"source": "", "unit": "", "metrics": []}
        self.figures = {figure["name"]: figure for figure in told["figures"]}
        self.timed = {column["name"] for column in told["columns"] if column.get("timed")}
        self.references = {reference["name"]: reference["label"] for reference in told["references"]}
        self.comparisons = [column for column in told["columns"] if column["kind"] != "headline"]
        runs = [Run(self.name, run) for run in told["runs"]]
        self.runs = sorted(runs, key=lambda run: (run.title, run.path))
        rows = {kind: [row for row in told["rows"] if row["kind"] == kind] for kind in ("ours", "floor", "published")}
        self.floors, self.published_only = rows["floor"], rows["published"]
        cases = [Case(self, row, [runs[at] for at in row["runs"]]) for row in rows["ours"]]
        first = self.references.values()
        self.cases = sorted(cases, key=lambda case: case.label not in first and not case.is_transformer)

    @property
    def task(self):
        return next((task for run in self.readable if (task := run.setting("task"))), "")

    @property
    def readable(self):
        return [run for run in self.runs if run.status != "unreadable"]


def load(*places):
    """The experiments at some places, each a run's folder, an experiment's folder, a results root or a record."""
    return [Experiment(told) for told in tables(places)]


def load_run(place):
    """The only run at a place."""
    runs = [run for experiment in load(place) for run in experiment.runs]
    if len(runs) > 1:
        raise NoRun(f"{place} holds {len(runs)} runs, not one")
    return runs[0]


def describe(value):
    """A configuration value in one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
