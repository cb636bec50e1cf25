"""The table of an experiment: a row a case with its seeds, the floors, and the rows that only the paper has."""

import math

from cases import lengths_of, missing_seeds, published_figures, published_of

from report import columns, html, words
from report.grid import grid
from report.html import element

PREFERRED = (
    "accuracy", "accuracy_selected_on_test", "accuracy_validation", "parameters", "training_seconds",
    "tokens_per_second", "resident_peak",
)  # fmt: skip
MAIN = ("perplexity", "perplexity_validation")  # what stands first where there is no accuracy
MOST = 8
SPREAD = "± is the sample standard deviation over seeds; (se): one seed, standard error over the examples."


def metrics_of(cases):
    """The figures that get a column: what the paper gives, then those that readers ask for; else whatever is better
    higher or lower."""
    known = {f.name: f for case in cases for run in case.done for f in run.figures.values() if not f.floor_of}
    said = published_of(cases).get("metrics", [])
    wanted = [m for m in dict.fromkeys([*said, *PREFERRED]) if m in known]
    if "accuracy" not in known:
        wanted = [m for m in dict.fromkeys([*said, *MAIN]) if m in known]
        wanted += [m for m, f in known.items() if f.better != "neither" and m not in wanted]
    return wanted[:MOST]


def table(cases):
    """With a caption that says what ± is and whose figures stand beside ours."""
    metrics = metrics_of(cases)
    main = metrics[0] if metrics else None
    source = published_of(cases)
    said = [m for m in source.get("metrics", []) if m in metrics]
    floored = main is not None and any(run.floors(main) for case in cases for run in case.done)
    head, rows = ["model", "seeds"], [[case.name, str(len(case.done))] for case in cases]
    for metric in metrics:
        unit = next(e.unit for case in cases if (e := case.estimate(metric)))
        head.append(columns.head(metric, unit))
        for row, case in zip(rows, cases):
            row.append(columns.estimate(case.estimate(metric), metric))
        if metric in said:
            head.append(published_head(metric, said))
            for row, case in zip(rows, cases):
                row.append(columns.published(case.published(metric), metric))
        if metric == main and floored:
            head.append("above the highest floor (points)")
            for row, case in zip(rows, cases):
                row.append(above_floor(case, metric))
    head.append("runs")
    for row, case in zip(rows, cases):
        row.append(state(case, cases))
    rows += floor_rows(cases, main, len(head)) if floored else []
    rows += published_only(cases, head, said)
    parts = [element("p", caption(cases, source, said, floored), class_="soft")]
    return html.join([*parts, html.table(head, rows, numbers=range(1, len(head) - 1), first_column=True)])


def by_length(cases):
    """The main figure with the lengths side by side, floors beneath."""
    metric = metrics_of(cases)[0]
    unit = next(e.unit for case in cases if (e := case.estimate(metric)))
    floors = {}
    for case in cases:
        for figure in (f for run in case.done[:1] for f in run.floors(metric)):
            floors.setdefault(words.floor_name(figure, case.runs[0]), {})[case.length] = figure.value
    extra = [
        html.Row([f"floor: {name}", *(f"{100 * at[n]:.2f}" if n in at else "–" for n in lengths_of(cases))], "floor")
        for name, at in floors.items()
    ]
    seeds = sorted({len(case.done) for case in cases if case.done})
    several = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    several += " seed" if seeds[-1] == 1 else " seeds"
    note = f"Columns: tokens of an example that are read at most. {several} a cell. {SPREAD}"
    return grid(cases, lambda case: columns.estimate(e, metric) if (e := case.estimate(metric)) else "",
                columns.head(metric, unit), note, extra)  # fmt: skip


def caption(cases, source, said, floored):
    text = SPREAD
    if floored:
        text += (
            " Floors know nothing of order; the difference to the highest one is bold where it is more than two "
            "standard errors of the difference, taken as if the errors were independent."
        )
    if said:
        text += f" Published: {source['source']}."
    limited = sorted({int(run.attributes.get("limit", 0) or 0) for case in cases for run in case.runs} - {0})
    if limited:
        text += f" Evaluated on the first {', '.join(f'{n:,}' for n in limited)} examples only."
    return text


def difference(case, metric):
    """(mean − highest floor, standard error) in points; None where one of them is missing."""
    estimate, floors = case.estimate(metric), [f for run in case.done[:1] for f in run.floors(metric)]
    if estimate is None or not floors:
        return None
    examples = case.figures(metric)[0].error
    return 100 * (estimate.mean - floors[0].value), 100 * math.hypot(examples, floors[0].error)


def above_floor(case, metric):
    held = difference(case, metric)
    if held is None:
        return "–"
    size, error = held
    text = f"{size:+.2f} ± {error:.2f}".replace("-", "−") if math.isfinite(error) else f"{size:+.2f}"
    return element("b", text) if math.isfinite(error) and abs(size) > 2 * error else text


def state(case, cases):
    """How many of its runs are done, and why the others are not."""
    others = [run for run in case.runs if run.status != "done"]
    parts = [f"{len(case.done)} done"] if case.done else []
    for run in others:
        reason = words.first_sentence(run.text("error"))
        words_of = run.status.replace("_", " ") + (f": {reason}" if reason else "")
        parts.append(f"seed {run.seed} {words_of}" if len(case.runs) > 1 else words_of)
    if missing := missing_seeds(case, [other for other in cases if other.length == case.length]):
        parts.append(f"no record of seed{'s' if len(missing) > 1 else ''} {', '.join(map(str, missing))}")
    return "; ".join(parts)


def floor_rows(cases, metric, width):
    """A row for each floor and value; where it differs between the cases the row says for which length."""
    found = {}
    for case in cases:
        for run in case.done:
            for figure in run.floors(metric):
                held = found.setdefault((words.floor_name(figure, run), round(figure.value, 6)), (figure, set()))
                held[1].add(case.length)
    names = [name for name, _ in found]
    for (name, _), (figure, lengths) in sorted(found.items(), key=lambda held: -held[1][0].value):
        if names.count(name) > 1 and None not in lengths:
            name += f" ({', '.join(f'{n:,}' for n in sorted(lengths))} tokens)"
        error = f" ± {100 * figure.error:.2f} (se)" if math.isfinite(figure.error) and figure.error else ""
        cells = [f"floor: {name}", "–", f"{100 * figure.value:.2f}{error}"]
        yield html.Row([*cells, *[""] * (width - len(cells) - 1), "floor"], "floor")


def published_only(cases, head, said):
    """The paper's rows that no case is about."""
    about = {name for metric in said for case in cases for _, name in case.published(metric)}
    rows = {}
    for metric in said:
        for value, name in published_figures(published_of(cases), metric, this_case=False):
            rows.setdefault(name, {})[metric] = columns.published([(value, name)], metric)
    for name in (name for name in rows if name not in about):
        cells = [name, *[""] * (len(head) - 2), "published only"]
        for metric, text in rows[name].items():
            cells[head.index(published_head(metric, said))] = text
        yield html.Row(cells, "published")


def published_head(metric, said):
    return "published" if len(said) == 1 else f"published: {columns.title(metric)}"
