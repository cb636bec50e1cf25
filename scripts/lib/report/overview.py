"""The first part of a report on several experiments: what there is, what came of it, and how to read it."""

from cases import lengths_of, series_of

from report import case_table, columns, html, protocol, scaling_tables
from report.experiment_section import counts
from report.html import element

SEEDS = (
    "Several seeds: mean ± sample standard deviation over seeds, with the number of seeds beside it. One seed: ± is "
    "the standard error, over examples, documents or what else was evaluated, and marked (se)."
)
FLOORS = (
    "A floor is what a model reaches that knows nothing of order; an accuracy near it shows nothing about attention."
)
PUBLISHED = (
    "Published figures are the papers' own, from other machines and, for accuracies, probably selected on the test half."
)
SPEEDS = "Speeds are in tokens a second, on the machine that is named"
RATIOS = "; a ratio names the case that it is to, of the same sweep on the same machine"


def section(experiments):
    rows = [row(experiment) for experiment in experiments]
    return html.page_part(
        "Overview",
        element("h2", "Overview"),
        html.table(["experiment", "runs", "read at most", "what came of it"], rows, first_column=True),
        element("h3", "How to read the figures"),
        element("p", how_to_read(experiments)),
    )


def how_to_read(experiments):
    """In sentences, of what these experiments have."""
    floored = any(experiment.floors for experiment in experiments)
    said = any(experiment.published["source"] for experiment in experiments)
    compared = any(experiment.comparisons for experiment in experiments)
    speeds = f"{SPEEDS}{RATIOS if compared else ''}."
    return " ".join([SEEDS, *([FLOORS] if floored else []), *([PUBLISHED] if said else []), speeds])


def row(experiment):
    state = html.join(list(counts(experiment.runs))[1:])
    link = element("a", html.breakable(experiment.name), href=f"#{html.anchor(experiment.name)}")
    return [link, state, lengths(experiment), result(experiment)]


def lengths(experiment):
    found = lengths_of(experiment.cases)
    if not found:
        return next((words for run in experiment.readable if (words := protocol.length(run))), "–")
    return (f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,}–{found[-1]:,}") + " tokens"


def result(experiment):
    """The best case by the main figure beside the highest floor; of a comparison of speeds its extent."""
    cases, metrics = experiment.cases, case_table.metrics_of(experiment)
    if scaling_tables.is_scaling(cases):
        return f"time and memory of {len(series_of(cases))} models"
    held = [(case.estimate(metrics[0]), case) for case in cases if case.estimate(metrics[0])] if metrics else []
    if not held:
        return "–"
    higher = held[0][0].better != "lower"
    estimate, best = (max if higher else min)(held, key=lambda pair: pair[0].mean)
    seeds = f"{estimate.n} seed{'s' if estimate.n > 1 else ''}"
    text = f"{case_table.heading(experiment, metrics[0])}: {columns.estimate(estimate, metrics[0])}, "
    text += f"{best.name}, {seeds}" if len(held) > 1 else seeds
    floors = best.floors(metrics[0])
    return text + (f"; highest floor {100 * floors[0].mean:.2f}" if floors else "")
