"""The table of an experiment: a row a case with its seeds, the floors, and the rows that only the paper has."""

import math

from cases import LENGTHS, estimate, lengths_of, published

from report import columns, html, words
from report.grid import grid
from report.html import element

PREFERRED = (
    "accuracy", "accuracy_selected_on_test", "accuracy_validation", "parameters", "training_seconds",
    "tokens_per_second", "resident_peak",
)  # fmt: skip
# What stands first where there is no accuracy.
MAIN = ("bleu", "perplexity", "perplexity_validation", "rouge_geometric_mean", "f1", "string_match", "full_model_perplexity")
MOST = 8
SPREAD = "± is the sample standard deviation over seeds; (se): one seed, standard error over the examples."


def metrics_of(experiment):
    """The figures that get a column: what the paper gives, then those that readers ask for; else whatever is better
    higher or lower."""
    known = [m for m in experiment.figures if any(case.estimate(m) for case in experiment.cases)]
    known = {m: figure for m in known if not (figure := experiment.figures[m])["floor_of"]}
    said = experiment.published["metrics"]
    wanted = [m for m in dict.fromkeys([*said, *PREFERRED]) if m in known]
    if "accuracy" not in known:
        wanted = [m for m in dict.fromkeys([*said, *MAIN]) if m in known]
        wanted += [m for m, f in known.items() if f["better"] != "neither" and m not in wanted]
    return wanted[:MOST]


def table(experiment):
    """With a caption that says what ± is and whose figures stand beside ours."""
    cases, metrics = experiment.cases, metrics_of(experiment)
    main = metrics[0] if metrics else None
    said = [m for m in experiment.published["metrics"] if m in metrics]
    floored = any(case.floors(main) for case in cases)
    head, rows = ["model", "seeds"], [[case.name, str(len(case.done))] for case in cases]
    for metric in metrics:
        head.append(columns.head(metric, experiment.figures[metric]["unit"]))
        for row, case in zip(rows, cases):
            row.append(columns.estimate(case.estimate(metric), metric))
        if metric in said:
            head.append(published_head(metric, said))
            for row, case in zip(rows, cases):
                row.append(columns.published(case.published(metric), metric))
        for column in differences(experiment, metric):
            head.append(f"less that of {experiment.references[column['reference']]}")
            for row, case in zip(rows, cases):
                row.append(columns.estimate(case.estimate(column["name"]), metric))
            if column["published"]:
                head.append("published: the same")
                for row, case in zip(rows, cases):
                    row.append(columns.published(case.published(column["name"]), metric))
        if metric == main and floored:
            head.append("above the highest floor (points)")
            for row, case in zip(rows, cases):
                row.append(above_floor(case, metric))
    head.append("runs")
    for row, case in zip(rows, cases):
        row.append(state(case))
    rows += floor_rows(experiment, main, len(head))
    rows += published_only(experiment, head, said)
    parts = [element("p", caption(experiment, said, floored), class_="soft")]
    return html.join([*parts, html.table(head, rows, numbers=range(1, len(head) - 1), first_column=True)])


def differences(experiment, metric):
    """The columns of `compare` that hold this figure less a reference's."""
    return [c for c in experiment.comparisons if c["kind"] == "difference" and c["metric"] == metric]


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
    note = f"Columns: tokens of an example that are read at most. {several} a cell. {SPREAD}"
    return grid(cases, lambda case: columns.estimate(e, metric) if (e := case.estimate(metric)) else "",
                columns.head(metric, experiment.figures[metric]["unit"]), note, extra)  # fmt: skip


def caption(experiment, said, floored):
    text = SPREAD
    if floored:
        text += (
            " Floors know nothing of order; the difference to the highest one is bold where it is more than two "
            "standard errors of the difference, taken as if the errors were independent."
        )
    if experiment.published["source"]:
        text += f" Published: {experiment.published['source']}."
    limited = sorted({int(run.attributes.get("limit", 0) or 0) for run in experiment.readable} - {0})
    if limited:
        text += f" Evaluated on the first {', '.join(f'{n:,}' for n in limited)} examples only."
    return text


def difference(case, metric):
    """(mean − highest floor, standard error) in points; None where one of them is missing."""
    held, floors = case.estimate(metric), case.floors(metric)
    if held is None or not floors:
        return None
    errors = (case.figures(name)[0].error for name in (metric, floors[0].name))
    return 100 * (held.mean - floors[0].mean), 100 * math.hypot(*errors)


def above_floor(case, metric):
    held = difference(case, metric)
    if held is None:
        return "–"
    size, error = held
    text = f"{size:+.2f} ± {error:.2f}".replace("-", "−") if math.isfinite(error) else f"{size:+.2f}"
    return element("b", text) if math.isfinite(error) and abs(size) > 2 * error else text


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


def published_only(experiment, head, said):
    """The paper's rows that no case is about."""
    for row in experiment.published_only:
        cells = [row["name"], *[""] * (len(head) - 2), "published only"]
        for metric in said:
            if figures := published(experiment, row, metric):
                cells[head.index(published_head(metric, said))] = columns.published(figures, metric)
        if any(cells[1:-1]):
            yield html.Row(cells, "published")


def published_head(metric, said):
    return "published" if len(said) == 1 else f"published: {columns.title(metric)}"
