"""One experiment: its runs side by side, and several seeds of one case as a mean with its spread."""

import re

import numpy as np

from report import html, words
from report.html import element
from report.run_section import badge

COLUMNS = {
    "accuracy": "test accuracy",
    "accuracy_validation": "validation",
    "accuracy_byte_counts": "floor: symbol counts",
    "accuracy_majority": "floor: majority",
    "parameters": "parameters",
    "training_seconds": "training",
}


def overview(runs):
    """A row a run, in the columns that some run has."""
    columns = [name for name in COLUMNS if any(name in run.figures for run in runs if run.status != "unreadable")]
    rows = []
    for run in runs:
        figures = {} if run.status == "unreadable" else run.figures
        shown = [words.shown(figures[name]) if name in figures else "–" for name in columns]
        rows.append([run.title, badge(run.status), *shown])
    head = ["run", "status", *(COLUMNS[name] for name in columns)]
    return html.table(head, rows, numbers=range(2, len(head)))


def without_seed(title):
    """The swept values but for the seed."""
    return re.sub(r"(^|\s)seed=\d+(?=\s|$)", "", title).strip()


def over_seeds(runs):
    """Mean, spread and range of the test accuracy of the cases that were run with several seeds."""
    cases = {}
    for run in runs:
        if run.status == "done" and "accuracy" in run.figures:
            cases.setdefault(without_seed(run.title), []).append(run.figures["accuracy"].value)
    rows = [
        (
            case or "all",
            str(len(v)),
            f"{100 * np.mean(v):.2f} %",
            f"{100 * np.std(v, ddof=1):.2f}",
            f"{100 * min(v):.2f}–{100 * max(v):.2f}",
        )
        for case, v in cases.items()
        if len(v) > 1
    ]
    if not rows:
        return html.Html("")
    head = ("case", "seeds", "mean test accuracy", "standard deviation (points)", "range (%)")
    return html.join([element("h3", "Over seeds"), html.table(head, rows, numbers=range(1, 5))])


def failures(runs):
    """The errors of the runs that have one."""
    for run in runs:
        error = run.error if run.status == "unreadable" else run.text("error")
        if error:
            yield element("p", f"{run.title}: {error}", class_="error")
