"""A table of models by lengths."""

from cases import lengths_of, series_of

from report import html
from report.html import element


def grid(cases, cell, heading, note="", extra=()):
    """A row a series, a column a length; cell(case) gives a text, or "" where there is nothing to show. `extra` rows
    follow. An empty string where no cell has anything."""
    lengths = lengths_of(cases)
    rows, anything = [], False
    for name in series_of(cases):
        row = [name]
        for length in lengths:
            found = next((case for case in cases if case.series == name and case.length == length), None)
            text = cell(found) if found else ""
            anything = anything or bool(text)
            row.append(text or (reason(found) if found else "no record"))
        rows.append(row)
    if not anything:
        return html.Html("")
    head = ["case", *(f"{n:,}" for n in lengths)]
    table = html.table(head, [*rows, *extra], range(1, len(head)), first_column=True)
    return html.join([element("h4", heading), *([element("p", note, class_="soft")] if note else []), table])


def reason(case):
    """Why a cell is empty: the state of its run."""
    states = [run.status.replace("_", " ") for run in case.runs if run.status != "done"]
    return states[0] if states else "–"
