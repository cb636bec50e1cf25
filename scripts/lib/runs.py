"""Reads run.h5, for the report and the plots. results/README.md is the schema."""

import fcntl
import functools
import json
import math
import pathlib
import re

import h5py
import numpy as np
import yaml
from paths import lfs_pointer, visible

SCHEMA_VERSION = 2
# What older records do not say of their scalars: the figure that each is a floor for, and its name as a row.
FLOORS = {
    "accuracy_byte_counts": ("accuracy", "logistic regression on {symbol} counts"),
    "accuracy_majority": ("accuracy", "majority class"),
}
LENGTHS = ("length", "encoding.max_length")  # options that bound what is read of an example


class NoRun(Exception):
    """A file or folder that holds no readable run, in one sentence."""


class Figure:
    """A headline figure: a scalar of /summary. A floor names the figure that it is a floor for (`floor_of`) and itself
    (`row`)."""

    def __init__(self, name, dataset):
        attributes = dataset.attrs
        self.name = name
        self.value = float(dataset[()])
        self.unit = str(attributes.get("units", "1"))
        self.meaning = str(attributes.get("long_name", ""))
        self.n = int(attributes.get("n", 1))
        self.error = float(attributes.get("standard_error", math.nan))
        self.better = str(attributes.get("better", "neither"))
        floor_of, row = FLOORS.get(name, ("", ""))
        self.floor_of = str(attributes.get("floor_of", floor_of))
        self.row = str(attributes.get("row", "")) or row


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


class Run:
    """One run.h5, read whole: it is closed again when the constructor returns."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        try:
            # No lock: the file is replaced whole, never changed, and some file systems have no locks.
            with h5py.File(self.path, "r", locking=False) as file:
                self._read(file)
        except FileNotFoundError:
            raise NoRun(f"there is no file {self.path}") from None
        except OSError as error:
            if self.path.is_file() and (pointer := lfs_pointer(self.path)):
                raise NoRun(pointer) from None
            if not h5py.is_hdf5(self.path):
                raise NoRun(f"{self.path} is no HDF5 file: something else wrote it or it was cut short") from None
            raise NoRun(f"{self.path} cannot be read: {error}") from None

    def _read(self, file):
        self.attributes = dict(file.attrs)
        version = self.attributes.get("schema_version")
        if version is None:
            raise NoRun(f"{self.path} is no record of attnlab: it has no attribute schema_version")
        if int(version) > SCHEMA_VERSION:
            raise NoRun(
                f"{self.path} has schema version {version}, made by a newer attnlab; "
                f"this one reads up to {SCHEMA_VERSION}"
            )
        self.figures, self.tables = {}, {}
        file.visititems(self._visit)

    def _visit(self, name, item):
        if isinstance(item, h5py.Group) and "rows_written" in item.attrs:
            self.tables["/" + name] = Table(item)
        if isinstance(item, h5py.Dataset) and name.startswith("summary/") and item.shape == ():
            figure = name.removeprefix("summary/")
            self.figures[figure] = Figure(figure, item)

    def table(self, name):
        """The table where it has rows, else None."""
        table = self.tables.get(name)
        return table if table is not None and len(table) > 0 else None

    def text(self, name):
        value = self.attributes.get(name, "")
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    @property
    def id(self):
        return self.text("run_id") or self.path.parent.name

    @property
    def experiment(self):
        return self.text("experiment") or self.path.parent.parent.name

    @property
    def title(self):
        """The label of the case with the swept values, else the id."""
        return self.text("case") or self.id

    @property
    def seed(self):
        return int(self.attributes.get("seed", self.setting("seed", 0)))

    @property
    def label(self):
        """Name of the run's row: the label of its case and other swept values, without the seed; empty where nothing
        but the seed was swept."""
        return self.text("label") or without_keys(self.text("case"), ("seed",))

    @property
    def length(self):
        """Tokens of an example that are read at most; None where the task has no such option."""
        return next((n for key in LENGTHS if isinstance(n := self.setting(key), int)), None)

    @property
    def validated_by(self):
        """The figure that training is validated by."""
        return "perplexity" if self.setting("task") == "train_lm" else "accuracy"

    @property
    def cache_policy(self):
        """Name of the rule by which a decoder's cache drops states; None where the task has no cache."""
        held = self.setting("cache.policy")
        return held.get("type") if isinstance(held, dict) else held

    def floors(self, metric):
        """The floors of a figure, the highest first."""
        found = [figure for figure in self.figures.values() if figure.floor_of == metric]
        return sorted(found, key=lambda figure: -figure.value)

    @property
    def published(self):
        """{"source", "unit", "metrics", "rows"} as the experiment names it; empty where it names none."""
        return self._json("published")

    @property
    def compare(self):
        """{"to": {short name: label}, "speedup": [metric], "fraction": [metric]}; empty where nothing is compared."""
        return self._json("compare")

    def _json(self, name):
        try:
            value = json.loads(self.text(name) or "{}")
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def status(self):
        """As recorded; a run that is recorded as running while nobody holds its lock was killed."""
        status = self.text("status") or "interrupted"
        return "interrupted" if status == "running" and not self._locked() else status

    def _locked(self):
        try:
            with open(self.path.parent / "lock") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

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


ASSIGNMENT = re.compile(r"(?:^|[\s,]+)([A-Za-z_][\w.]*)=(\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"|[^\s,]+)")


def assignments(label):
    """The swept values in a label, by key."""
    return dict(ASSIGNMENT.findall(label))


def without_keys(label, keys):
    """A label without the swept values of some keys."""
    return ASSIGNMENT.sub(lambda match: "" if match[1] in keys else match[0], label).strip(" ,")


class UnreadableRun:
    """Stands for a record that could not be read, so that a report can say so beside the others."""

    def __init__(self, path, error):
        self.path = pathlib.Path(path)
        self.id = self.title = self.path.parent.name
        self.experiment = self.path.parent.parent.name
        self.status = "unreadable"
        self.error = str(error)


def find_records(place):
    """The run.h5 files of a run folder, an experiment's folder or a results root; `place` may be a record itself."""
    place = pathlib.Path(place)
    if not place.exists():
        raise NoRun(f"there is no file or folder {place}")
    if place.is_file():
        return [place]
    for pattern in ("run.h5", "*/run.h5", "*/*/run.h5"):
        if records := visible(place, pattern):
            return records
    raise NoRun(f"{place} holds no run: there is no run.h5 in it, in its folders or in theirs")


def load(place):
    """All runs at a place. Where it is a single record it must be readable; among several an unreadable one is kept
    as such."""
    records = find_records(place)
    if len(records) == 1:
        return [Run(records[0])]
    runs = []
    for record in records:
        try:
            runs.append(Run(record))
        except NoRun as error:
            runs.append(UnreadableRun(record, error))
    return runs


def describe(value):
    """A configuration value in one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
