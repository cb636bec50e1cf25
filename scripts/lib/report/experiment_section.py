"""One experiment: its protocol, its table, its plots, what is missing, and its runs folded beneath."""

from report import cache_tables, case_table, html, machine, protocol, run_section, scaling_tables, words
from report.html import element

LONGEST_LIST = 12  # values of a fact that differ between runs are listed up to so many
OWN = ("Record", "Seed", "Selected", "Parameters")  # facts that are each run's own, where they differ


def section(experiment, plots, heading):
    """An experiment of several runs; without a heading where the page's title is its name."""
    runs = experiment.runs
    parts = [element("h2", experiment.name)] if heading else []
    if experiment.description:
        parts.append(element("p", experiment.description))
    parts += run_section.departures(experiment.departures)
    parts.append(element("p", *counts(runs), class_="counts"))
    if experiment.cases:
        parts.append(element("h3", "What was run"))
        parts.append(html.pairs(shared(experiment.readable, protocol.facts)))
        parts += tables(experiment)
        parts += plots.of_experiment(experiment)
    parts += failures(runs)
    parts.append(element("h3", "Machine and program"))
    parts.append(html.pairs(shared(experiment.readable, machine.facts)))
    parts.append(element("h3", f"Each of the {len(runs)} runs"))
    if not plots.draws_each(runs):
        parts.append(element("p", "Plots of a single run: scripts/report RUN_FOLDER", class_="soft"))
    parts += [run_section.section(run, plots.of_run(run, runs), opened=False) for run in runs]
    return html.page_part(experiment.name, *parts)


def counts(runs):
    """How many runs are in which state."""
    states = {}
    for run in runs:
        states[run.status] = states.get(run.status, 0) + 1
    yield f"{len(runs)} runs with a record: "
    for status, count in sorted(states.items(), key=lambda held: (held[0] != "done", held[0])):
        yield run_section.badge(status, f"{count} {status.replace('_', ' ')}")
        yield " "


def tables(experiment):
    cases = experiment.cases
    if scaling_tables.is_scaling(cases):
        yield from scaling_tables.tables(experiment)
    elif case_table.metrics_of(experiment):
        yield element("h3", "Result")
        if cache_tables.is_by_size(cases):
            yield cache_tables.by_size(cases)
            yield html.folded("Every case with its other figures", case_table.table(experiment))
        elif case_table.is_by_length(cases):
            yield case_table.by_length(experiment)
            yield html.folded("Every case with what it is compared with", case_table.table(experiment))
        else:
            yield case_table.table(experiment)
        yield from case_table.other_figures(experiment)
        yield from cache_tables.costs(cases)


def shared(runs, facts):
    """A fact that all runs share is stated; of one that differs the values are listed, or it is said that it differs."""
    values = {}
    for run in runs:
        for name, held in facts(run):
            values.setdefault(name, {}).setdefault(held, []).append(run)
    rows = []
    for name, held in values.items():
        if name in OWN and len(held) > 1:
            if name == "Seed":
                rows.append((name, ", ".join(sorted(held, key=int))))
        elif len(held) == 1:
            rows.append((name, next(iter(held))))
        elif len(held) <= LONGEST_LIST:
            rows.append((name, html.join(element("div", value, each(members, runs)) for value, members in held.items())))
        else:
            rows.append((name, f"{len(held)} different ones, see each run below"))
    return rows


def each(members, runs):
    """In how many of the runs a value holds."""
    return element("span", f" ({len(members)} of {len(runs)} runs)", class_="soft")


def failures(runs):
    """Every run that is not done, with its reason."""
    held = [run for run in runs if run.status != "done"]
    if not held:
        return
    yield element("h3", "Not done")
    rows = [[run.title, run_section.badge(run.status), run.error or words.STATUS.get(run.status, "")] for run in held]
    yield html.table(["run", "state", "reason"], rows, first_column=True)
    yield element(
        "p", "Runs that were never started have no record: attnlab list EXPERIMENT names them.", class_="soft"
    )
