"""The files in results/reference/ and experiments/published/, row by row."""

import csv

import yaml


class Mistake(Exception):
    """A page or a table names something that is not there; one sentence."""


class Files:
    def __init__(self, root):
        self.root = root
        self.held = {}

    def rows(self, name):
        """The rows of a CSV file in results/reference/, or of a YAML file in experiments/published/."""
        if name not in self.held:
            self.held[name] = self._read(name)
        return self.held[name]

    def ours(self, name):
        """Those of a table of runs that this project measured, without the published and the floor's."""
        return [row for row in self.rows(name) if row["kind"] == "ours"]

    def _read(self, name):
        folder = "experiments/published" if name.endswith(".yaml") else "results/reference"
        path = self.root / folder / name
        if not path.is_file():
            raise Mistake(f"{folder}/{name} is not there")
        with path.open(encoding="utf-8", newline="") as file:
            return yaml.safe_load(file)["rows"] if name.endswith(".yaml") else list(csv.DictReader(file))

    def row(self, name, key, **wanted):
        """The one row whose first column is `key`, or whose first column is that and others are as wanted."""
        first = next(iter(self.rows(name)[0]))
        found = [
            row for row in self.rows(name)
            if str(row[first]) == key and all(row.get(column) == str(value) for column, value in wanted.items())
        ]  # fmt: skip
        if len(found) != 1:
            raise Mistake(f"{name}: {len(found)} rows are '{key}'{''.join(f' {c}={v}' for c, v in wanted.items())}")
        return found[0]

    def note(self, name):
        """value ± error of a figure that was read off by hand, as it was written."""
        row = self.row("notes.csv", name)
        return row["value"] + (f" ± {row['error']}" if row["error"] else "")

    def published(self, name, row, metric):
        return float(self.row(name, row)[metric])


def number(value, digits):
    """1,234.50; a dash where the file has nothing."""
    return "–" if value in ("", None) else f"{float(value):,.{digits}f}"


def spread(row, column, digits, scale=1):
    """value ± standard deviation over seeds, or of a single run its standard error over examples."""
    held = row[f"{column}_sd"] if float(row[f"{column}_sd"] or 0) else row[f"{column}_se"]
    text = number(scale * float(row[column]), digits)
    return text + (f" ± {number(scale * float(held), digits)}" if held else "")


def over_rounds(row, column):
    """The median over rounds; of a figure that has none, or of too few rounds for one, the mean."""
    return row.get(f"{column}_median") or row[column]


def middle(row, column, digits):
    """median [lower, upper quartile] over rounds; of too few of them the mean alone."""
    held = number(over_rounds(row, column), digits)
    return held + (f" [{number(row[f'{column}_q1'], digits)}, {number(row[f'{column}_q3'], digits)}]" if row[f"{column}_q1"] else "")


def paired(row, digits):
    """A difference over the same things ± its standard error, in per cent or points."""
    return " ± ".join(number(100 * float(row[column]), digits) for column in ("value", "standard_error"))


def unless_impossible(text, *shares):
    """What rests on times beside which a rate was measured: withdrawn where a share of it is above the whole (a record
    leaves such a share out), for then the machine changed its speed between the two."""
    return text if all(share and float(share) <= 1 for share in shares) else "withdrawn"


def mebibytes(value):
    return "–" if value == "" else number(float(value) / 2**20, 0)


def as_published(value, least):
    """As many decimals as the paper prints, which the file's number no longer shows where they end in 0."""
    return number(value, max(least, len(str(value).partition(".")[2])))


def link(name, folder="results/reference"):
    """To a file as a page says it that stands beside `folder`."""
    return f"[{name}]({folder}/{name})"
