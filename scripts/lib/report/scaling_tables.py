"""Tables of time and memory with the lengths side by side: the figures, their ratios to the references, and what each
doubling of the length costs."""

import math

from cases import comparison, lengths_of, published_figures, published_of, ratio, reference_of, references, series_of

from report import columns, html
from report.grid import grid
from report.html import element

SHOWN = ("seconds", "allocator_peak")
FOLDED = ("tokens_per_second", "resident_peak", "flop_rate", "product_share")
DOUBLED = ("train_seconds", "train_allocator_peak", "infer_seconds", "infer_allocator_peak")


def is_scaling(cases):
    """Whether an experiment times steps at several lengths."""
    return len(lengths_of(cases)) > 1 and any(case.estimate(f"{p}_seconds") for case in cases for p in columns.PHASES)


def tables(cases):
    for phase, name in columns.PHASES.items():
        if not any(case.estimate(f"{phase}_seconds") for case in cases):
            continue
        yield element("h3", name.capitalize())
        yield html.join(by_length(cases, f"{phase}_{measure}") for measure in SHOWN)
        yield html.join(ratios(cases, phase))
        folded = [by_length(cases, f"{phase}_{measure}") for measure in FOLDED]
        yield html.folded(f"{name.capitalize()}: tokens a second, resident peak, rate of operations", *folded)
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
    several = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    low, high = min(least / middle for middle, least, _, _ in known), max(most / middle for middle, _, most, _ in known)
    reach = f"of all cells the fastest lies at {low:.2f} of it, the slowest at {high:.2f}."
    return f"Median of {several} repetitions; {reach}"


def ratios(cases, phase):
    """Speed and memory relative to each reference; the paper's figures in brackets."""
    held = comparison(cases)
    for kind in ("speedup", "fraction"):
        for metric in (m for m in held.get(kind, []) if m.startswith(phase)):
            for short, label in references(cases).items():
                yield ratio_table(cases, metric, kind, short, label)


def ratio_table(cases, metric, kind, short, label):
    published = f"{metric}_{kind}_{short}"

    def cell(case):
        other = reference_of(case, label, cases)
        held = ratio(other, case, metric) if kind == "speedup" else ratio(case, other, metric)
        if held is None:
            return ""
        value, spread = held
        text = columns.number(value) + (f" ± {columns.number(spread)}" if math.isfinite(spread) and spread else "")
        said = case.published(published)
        return text + (f" [{columns.published(said, published)}]" if said else "")

    what = columns.measure(metric)
    heading = f"{what}, times faster than {label}" if kind == "speedup" else f"{what}, fraction of that of {label}"
    note = ""
    if any(case.published(published) for case in cases):
        note = f"In brackets: published ({published_of(cases)['source']})."
        if others := only_published(cases, published):
            note += f" Published only: {others}."
    return grid(cases, cell, heading, note)


def only_published(cases, metric):
    """The paper's rows that no case is about, in a sentence."""
    about = {name for case in cases for _, name in case.published(metric)}
    rows = published_figures(published_of(cases), metric, this_case=False)
    return "; ".join(f"{name} {value:g}" for value, name in rows if name not in about)


def growth(cases):
    """What doubling the length costs: 2 is linear, 4 quadratic."""
    lengths = lengths_of(cases)
    doublings = [(n, 2 * n) for n in lengths if 2 * n in lengths]
    if not doublings:
        return html.Html("")
    known = [metric for metric in DOUBLED if any(case.estimate(metric) for case in cases)]
    head = ["model", *(f"{columns.title(m)}, {a:,} to {b:,}" for m in known for a, b in doublings)]
    rows = []
    for name in series_of(cases):
        at = {case.length: case for case in cases if case.series == name}
        held = [ratio(at.get(b), at.get(a), metric) for metric in known for a, b in doublings]
        rows.append([name, *("–" if r is None else f"{r[0]:.2f}" for r in held)])
    return html.join(
        [
            element("h3", "What doubling the length costs"),
            element("p", "Factor from one length to twice that length: 2 is linear growth, 4 quadratic.", class_="soft"),
            html.table(head, rows, range(1, len(head)), first_column=True),
        ]
    )
