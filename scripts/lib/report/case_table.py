"""The tables of an experiment: a row a case with its seeds, the floors, and the rows that only the paper has; what does not
fit in the width of a page stands in a second one."""

import itertools
import re
from dataclasses import dataclass

from cases import LENGTHS, above, estimate, lengths_of, published, series_of

from report import columns, html, words
from report.grid import grid
from report.html import element

PREFERRED = (
    "accuracy", "accuracy_selected_on_test", "accuracy_validation", "parameters", "training_seconds",
    "tokens_per_second", "resident_peak",
)  # fmt: skip
# What stands first where there is no accuracy.
MAIN = ("bleu", "perplexity", "perplexity_validation", "rouge_geometric_mean", "f1", "string_match", "full_model_perplexity")
RATIO = re.compile(r"speedup|fraction_of")  # in the name of a figure that is a ratio of its own
MOST = 8
FOLDED = ("word_perplexity",)  # as wide as it says little beside bits per byte


@dataclass
class Column:
    """A cell for each case. `said`: the figure or ratio whose published values it holds, also those of rows that only the
    paper has, `written` as one of this name and unit."""

    head: str
    cells: list
    said: str = ""
    written: tuple = ("", "")


def metrics_of(experiment):
    """The figures that get a column: what the paper gives, then those that readers ask for, that `compare` names and that are
    ratios; without an accuracy also whatever is better higher or lower."""
    return wanted(experiment)[:MOST]


def others_of(experiment):
    """The figures with a direction, and shares, that have no column there."""
    shown = metrics_of(experiment)
    shown += [above(metric, held[0].name) for case in experiment.cases for metric in shown if (held := case.floors(metric))]
    rest = [m for m, f in known(experiment).items() if f["better"] != "neither" or columns.SHARE.search(m)]
    order = [m for m in wanted(experiment) if m not in shown]
    return [*order, *(m for m in rest if m not in shown and m not in order)]


def known(experiment):
    """The figures that any case has, without floors."""
    held = experiment.figures.items()
    return {m: f for m, f in held if not f["floor_of"] and any(case.estimate(m) for case in experiment.cases)}


def wanted(experiment):
    """By how much a reader wants to see them."""
    held, compared = known(experiment), {c["metric"] for c in experiment.comparisons}
    ratios = [m for m in held if m in compared] + [m for m in held if RATIO.search(m)]
    said = experiment.published["metrics"]
    if "accuracy" in held:
        order = [*said, *PREFERRED, *ratios]
    else:
        directed = [m for m, f in held.items() if f["better"] != "neither"]
        order = [*said, *MAIN, *ratios, *(m for m in directed if columns.SHARE.search(m)), *directed]
    return [m for m in dict.fromkeys(order) if m in held and m not in FOLDED]


def table(experiment):
    """With a caption that says what ± is and whose figures stand beside ours."""
    cases, metrics = experiment.cases, metrics_of(experiment)
    main = metrics[0] if metrics else None
    made = [
        Column("seeds", [str(len(case.done)) for case in cases]),
        *columns_of(experiment, metrics),
        Column("runs", [state(case) for case in cases]),
    ]
    head, rows = laid_out(cases, made)
    rows += floor_rows(experiment, main, len(head))
    rows += published_only(experiment, made)
    floored = any(case.floors(main) for case in cases)
    parts = [element("p", caption(experiment, metrics, floored), class_="soft")]
    return html.join([*parts, html.table(head, rows, numbers=range(1, len(head) - 1), first_column=True)])


def other_figures(experiment):
    """The figures that are not in `table`, folded, a row each where they outnumber the cases; nothing where there are
    none."""
    if metrics := others_of(experiment):
        head, rows = laid_out(experiment.cases, columns_of(experiment, metrics))
        if len(head) - 1 > len(rows):
            head, *rows = map(list, zip(head, *rows))
            head[0] = "figure"
        yield html.folded("Other figures of every case", html.table(head, rows, range(1, len(head)), first_column=True))


def laid_out(cases, made):
    made = list(made)
    return ["case", *(c.head for c in made)], [[case.name, *(c.cells[i] for c in made)] for i, case in enumerate(cases)]


def columns_of(experiment, metrics):
    """Each figure with what is published of it, how it compares with the references, and how far it lies above its floor."""
    cases, published_of = experiment.cases, experiment.published["metrics"]
    said = [m for m in published_of if m in known(experiment)]
    for metric in metrics:
        yield Column(heading(experiment, metric),
                     [columns.estimate(case.estimate(metric), metric) for case in cases])  # fmt: skip
        if metric in said:
            yield published_column(cases, metric, published_head(metric, said), (metric, experiment.figures[metric]["unit"]))
        for column in experiment.comparisons:
            if column["metric"] == metric:
                written = metric if column["kind"] == "difference" else ""  # ratios have no unit
                yield Column(compared_head(experiment, column),
                             [columns.estimate(case.estimate(column["name"]), written) for case in cases])  # fmt: skip
                if column["published"]:
                    yield published_column(cases, column["name"], "published: the same", (written, column["unit"]))
        if any(case.floors(metric) for case in cases):
            yield Column("above the highest floor (points)", [above_floor(case, metric) for case in cases])


def heading(experiment, metric):
    return columns.head(metric, experiment.figures[metric]["unit"], columns.title(metric, experiment.task))


def published_column(cases, name, head, written):
    return Column(head, [columns.published(case.published(name), *written) for case in cases], name, written)


def compared_head(experiment, column):
    words_of = {"difference": "less that of", "speedup": "times better than", "fraction": "as a fraction of that of"}
    return f"{words_of[column['kind']]} {experiment.references[column['reference']]}"


def is_by_length(cases):
    """Whether several models were run, and one of them at several lengths."""
    models = series_of(cases)
    return len(models) > 1 and len({(case.series, case.length) for case in cases if case.length}) > len(models)


def by_length(experiment):
    """The main figure with the lengths side by side, floors beneath."""
    cases, metric = experiment.cases, metrics_of(experiment)[0]
    floors = {}
    for case in cases:
        for floor in case.floors(metric):
            floors.setdefault(floor.row, {})[case.length] = floor.mean
    extra = [
        html.Row([f"floor: {name}", *(f"{100 * at[n]:.2f}" if n in at else "–" for n in lengths_of(cases))], "floor")
        for name, at in floors.items()
    ]
    seeds = sorted({len(case.done) for case in cases if case.done})
    several = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    several += " seed" if seeds[-1] == 1 else " seeds"
    note = f"Columns: tokens of an example that are read at most. {several} a cell. {spread(experiment, [metric])}"
    return grid(cases, lambda case: columns.estimate(e, metric) if (e := case.estimate(metric)) else "",
                heading(experiment, metric), note, extra)  # fmt: skip


def caption(experiment, metrics, floored):
    text = spread(experiment, metrics)
    if floored:
        text += (
            " Floors know nothing of order. The difference to the highest one is the records' own, example by example: ± "
            "over seeds as elsewhere, (se) its paired standard error; bold where it is more than twice its ± and twice "
            "the paired standard error of each run; no ± where no such figure was recorded."
        )
    if experiment.published["source"]:
        text += f" Published: {experiment.published['source']}."
    limited = sorted({int(run.attributes.get("limit", 0) or 0) for run in experiment.readable} - {0})
    if limited:
        text += f" Evaluated on the first {', '.join(f'{n:,}' for n in limited)} examples only."
    return text


def spread(experiment, metrics):
    """What ± is in a table of some figures and of their floors."""
    floors = [name for name, figure in experiment.figures.items() if figure["floor_of"] in metrics]
    over = dict.fromkeys(word for metric in (*metrics, *floors) for word in error_over(experiment.readable, metric))
    things = " or ".join(f"{word}s" for word in over if word)
    parts = [*([f"over the {things}"] if things else []), *(["as recorded"] if "" in over else [])]
    error = f"; (se): one seed, standard error {', else '.join(parts)}" if parts else ""
    return f"± is the sample standard deviation over seeds{error}."


def error_over(runs, metric):
    """What the standard error of a figure is over, "example" or "document", in a list; "" where the records do not say;
    none without such an error."""
    held = (run for run in runs if metric in run.figures and run.figures[metric].error > 0)
    return [run.counted(run.figures[metric]) for run in itertools.islice(held, 1)]


def above_floor(case, metric):
    """As recorded where that is of the highest floor, else the difference of both alone."""
    held, floors = case.estimate(metric), case.floors(metric)
    if held is None or not floors:
        return "–"
    name = above(metric, floors[0].name)
    recorded = case.estimate(name)
    if recorded is None:
        return columns.signed(columns.number(100 * (held.mean - floors[0].mean), metric))
    text = columns.signed(columns.estimate(recorded, name))
    errors = [recorded.spread, *(figure.error for figure in case.figures(name))]
    return element("b", text) if all(abs(recorded.mean) > 2 * error for error in errors) else text


def state(case):
    """How many of its runs are done, and why the others are not."""
    others = [run for run in case.runs if run.status != "done"]
    parts = [f"{len(case.done)} done"] if case.done else []
    for run in others:
        reason = words.first_sentence(run.error)
        words_of = run.status.replace("_", " ") + (f": {reason}" if reason else "")
        parts.append(f"seed {run.seed} {words_of}" if len(case.runs) > 1 else words_of)
    if missing := case.missing_seeds:
        parts.append(f"no record of seed{'s' if len(missing) > 1 else ''} {', '.join(map(str, missing))}")
    return "; ".join(parts)


def floor_rows(experiment, metric, width):
    """The highest first; a floor that depends on the length says of which it is."""
    held = [(row, e) for row in experiment.floors if row["of"] == metric and (e := estimate(experiment, row, metric))]
    for row, floor in sorted(held, key=lambda pair: -pair[1].mean):
        name, lengths = row["name"], [value for key, value in row["condition"].items() if key in LENGTHS]
        if lengths and len(row["condition"]) == 1:
            name = f"{row['row']} ({int(lengths[0]):,} tokens)"
        cells = [f"floor: {name}", "–", columns.estimate(floor, metric)]
        yield html.Row([*cells, *[""] * (width - len(cells) - 1), "floor"], "floor")


def published_only(experiment, made):
    """The paper's rows that no case is about."""
    for row in experiment.published_only:
        figures = [published(experiment, row, column.said) if column.said else [] for column in made]
        cells = [columns.published(f, *column.written) if f else "" for f, column in zip(figures, made)]
        if any(cells):
            yield html.Row([row["name"], *cells[:-1], "published only"], "published")


def published_head(metric, said):
    return "published" if len(said) == 1 else f"published: {columns.title(metric)}"
