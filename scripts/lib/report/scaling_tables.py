"""Tables of time and memory with the lengths side by side: the figures, their ratios to the references, and what each
doubling of the length costs."""

import math

from cases import lengths_of, published, series_of

from report import columns, html
from report.grid import grid
from report.html import element

SHOWN = ("seconds", "allocator_peak")
FOLDED = ("tokens_per_second", "resident_peak", "flop_rate", "product_share")
DOUBLED = ("train_seconds", "train_allocator_peak", "infer_seconds", "infer_allocator_peak")


def is_scaling(cases):
    """Whether an experiment times steps at several lengths."""
    return len(lengths_of(cases)) > 1 and any(case.estimate(f"{p}_seconds") for case in cases for p in columns.PHASES)


def tables(experiment):
    cases = experiment.cases
    for phase, name in columns.PHASES.items():
        if not any(case.estimate(f"{phase}_seconds") for case in cases):
            continue
        yield element("h3", name.capitalize())
        yield html.join(by_length(cases, f"{phase}_{measure}") for measure in SHOWN)
        yield html.join(ratios(experiment, phase))
        folded = [by_length(cases, f"{phase}_{measure}") for measure in FOLDED]
        yield html.folded(f"{name.capitalize()}: tokens a second, resident peak, rate of operations", *folded)
    yield from only_published(experiment)
    yield growth(cases)


def by_length(cases, metric):
    unit = next((e.unit for case in cases if (e := case.estimate(metric))), None)
    if unit is None:
        return html.Html("")

    def cell(case):
        estimate = case.estimate(metric)
        known = estimate is not None and estimate.mean > 0  # -1 and 0 stand for what could not be measured
        return columns.estimate(estimate, metric) if known else ""

    heading = columns.head(metric, unit, columns.measure(metric))
    return grid(cases, cell, heading, repetitions_note(cases, metric) if metric.endswith("seconds") else "")


def repetitions_note(cases, metric):
    """How many repetitions stand behind a time and how far they lie from it at most."""
    known = [(case.estimate(metric).mean, *held) for case in cases if (held := case.repetitions(metric))]
    if not known:
        return ""
    counts = sorted({count for _, _, _, count in known})
    if counts == [1]:
        return "One repetition, no spread."
    several = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    low, high = min(least / middle for middle, least, _, _ in known), max(most / middle for middle, _, most, _ in known)
    return f"Median of {several} repetitions; single steps lie between {low:.2f} and {high:.2f} of it."


def ratios(experiment, phase):
    """Speed and memory relative to each reference; the paper's figures in brackets."""
    for kind in ("speedup", "fraction"):
        for column in experiment.comparisons:
            if column["kind"] == kind and column["metric"].startswith(phase):
                yield ratio_table(experiment, column)


def ratio_table(experiment, column):
    name = column["name"]

    def cell(case):
        held = case.estimate(name)
        if held is None:
            return ""
        text = columns.number(held.mean)
        text += f" ± {columns.number(held.spread)}" if math.isfinite(held.spread) and held.spread else ""
        said = case.published(name)
        return text + (f" [{columns.published(said, name)}]" if said else "")

    note = ""
    if any(case.published(name) for case in experiment.cases):
        note = f"In brackets: published ({experiment.published['source']})."
    return grid(experiment.cases, cell, ratio_title(experiment, column), note)


def ratio_title(experiment, column):
    what, label = columns.measure(column["metric"]), experiment.references[column["reference"]]
    words = f"times faster than {label}" if column["kind"] == "speedup" else f"fraction of that of {label}"
    return f"{what}, {words}"


def only_published(experiment):
    """The paper's rows that no case is about, folded; nothing where there are none."""
    told = [column for column in experiment.comparisons if column["published"]]
    rows = [
        [row["name"], *(columns.published(published(experiment, row, c["name"]), c["name"]) for c in told)]
        for row in experiment.published_only
    ]
    if told and rows:
        head = ["published", *(ratio_title(experiment, column) for column in told)]
        source = element("p", f"{experiment.published['source']}.", class_="soft")
        table = html.table(head, rows, range(1, len(head)), first_column=True)
        yield html.folded("Published only, of what was not run here", source, table)


def growth(cases):
    """What doubling the length costs: 2 is linear, 4 quadratic."""
    lengths = lengths_of(cases)
    doublings = [(n, 2 * n) for n in lengths if 2 * n in lengths]
    if not doublings:
        return html.Html("")
    known = [metric for metric in DOUBLED if any(case.estimate(metric) for case in cases)]
    head = ["case", *(f"{columns.title(m)}, {a:,} to {b:,}" for m in known for a, b in doublings)]
    rows = []
    for name in series_of(cases):
        at = {case.length: case for case in cases if case.series == name}
        rows.append([name, *(factor(at.get(a), at.get(b), metric) for metric in known for a, b in doublings)])
    return html.join(
        [
            element("h3", "What doubling the length costs"),
            element("p", "Factor from one length to twice that length: 2 is linear growth, 4 quadratic.", class_="soft"),
            html.table(head, rows, range(1, len(head)), first_column=True),
        ]
    )


def factor(short, long, metric):
    """By what a figure grows from one case to the other."""
    less, more = (case and case.estimate(metric) for case in (short, long))
    return f"{more.mean / less.mean:.2f}" if less and more and less.mean > 0 else "–"
