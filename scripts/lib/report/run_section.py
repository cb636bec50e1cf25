"""One run: what was run, what came of it, how it went, where it ran."""

import json
import math

import numpy as np

from report import columns, html, machine, protocol, words
from report.html import element

NAMES = {
    "accuracy": "Test accuracy",
    "accuracy_validation": "Validation accuracy",
    "accuracy_selected_on_test": "Best test accuracy of any update (selected on test)",
}
LONGEST_TABLE = 60


def section(run, pictures, opened):
    """`pictures`: HTML of the run's plots."""
    head = html.join([run.title, " ", badge(run.status)])
    if run.status == "unreadable":
        return html.folded(head, element("p", run.error, class_="error"), class_="run", opened=opened)
    parts = [status_line(run), error_box(run), headline(run), element("h3", "What was run")]
    parts += [element("p", run.text("description"))] if run.text("description") else []
    parts += departures(run.text("departures").splitlines())
    parts += [
        html.pairs(protocol.facts(run)),
        *command(run),
        *result(run),
        *measurement_tables(run),
        *answers(run),
        *translations(run),
        *pictures,
        *further(run),
    ]
    parts += [html.folded("Environment", html.pairs(machine.facts(run)))]
    if run.text("config"):
        parts.append(html.folded("Resolved configuration", element("pre", run.text("config").strip())))
    return html.folded(head, *parts, class_="run", opened=opened)


def departures(sentences):
    """In what a run is not the recipe that it follows."""
    if sentences:
        yield element("p", "It departs from the recipe that it follows:")
        yield element("ul", *(element("li", sentence) for sentence in sentences))


def badge(status, words=None):
    return element("span", words or status.replace("_", " "), class_=f"status {status}")


def status_line(run):
    parts = [f"Run {run.id} is {words.STATUS.get(run.status, run.status)}."]
    if run.text("started"):
        parts.append(f"Started {words.moment(run.text('started'))}")
        parts[-1] += f", ended {words.moment(run.text('finished'))}." if run.text("finished") else "."
    if "seconds" in run.attributes:
        parts.append(f"It took {words.duration(float(run.attributes['seconds']))} in all.")
    if (resumed := int(run.attributes.get("sessions", 1)) - 1) > 0:
        parts.append("It was resumed once." if resumed == 1 else f"It was resumed {resumed} times.")
    return element("p", " ".join(parts), class_="soft")


def error_box(run):
    return element("p", run.error, class_="error") if run.error else html.Html("")


def headline(run):
    if (accuracy := run.figures.get("accuracy")) is not None:
        shown, note = words.percent(accuracy), f"test accuracy and its standard error, {accuracy.n:,} examples"
    elif (figure := run.figures.get("bleu")) is not None:
        shown, note = spread(figure), f"{figure.meaning}; {figure.n:,} sentences"
    elif (figure := run.figures.get("perplexity")) is not None:
        shown, note = words.quantity(figure.value, ""), f"perplexity {figure.meaning}; {figure.n:,} documents"
    elif (figure := run.figures.get("perplexity_validation")) is not None:
        shown, note = spread(figure), f"perplexity {figure.meaning}, and its standard error; {figure.n:,} tokens"
    else:
        return html.Html("")
    return element("p", shown, " ", element("small", note), class_="headline")


def command(run):
    if not run.text("argv"):
        return []
    return [element("p", "Command: ", element("code", run.text("argv")))]


def result(run):
    """The accuracies and floors, with what they mean."""
    accuracies = [figure for name in NAMES if (figure := run.figures.get(name))]
    if accuracies:
        yield element("h3", "Result")
        rows = [(NAMES[f.name], words.percent(f), f"{f.n:,}") for f in accuracies]
        rows += [(f"Floor: {f.row}", words.percent(f), f"{f.n:,}") for f in run.floors("accuracy")]
        for value, name in run.case.published("accuracy"):
            rows.append((f"Published: {name}", f"{100 * value:.2f} %", "–"))
        yield html.table(("", "± standard error", "examples"), rows, numbers=(1, 2))
        yield element("p", " ".join(words.interpretation(run)))


def further(run):
    """Every other figure."""
    others = [f for f in run.figures.values() if f.name not in NAMES and f.floor_of != "accuracy"]
    if others:
        yield element("h3", "Further figures")
        yield html.table(("", "value ± standard error"), [(told(f, others), spread(f)) for f in others], numbers=(1,))


def told(figure, others):
    """What a figure is; its name too where others are told in the same words."""
    name = columns.title(figure.name)
    alike = [other for other in others if other.meaning == figure.meaning]
    return f"{figure.meaning} ({name})" if len(alike) > 1 else figure.meaning or name


def spread(figure):
    text = words.shown(figure)
    if words.is_fraction(figure) or not math.isfinite(figure.error) or figure.error == 0:
        return text
    return f"{text} ± {words.quantity(figure.error, figure.unit)}"


def measurement_tables(run):
    """/ratios, /memory and whatever else is short enough to be read; of /speed the medians."""
    if (speed := run.table("/speed")) is not None and run.table("/ratios") is None:
        yield element("h3", "Speed")
        yield medians(speed)
    for name, heading in (("/ratios", "Speed"), ("/memory", "Memory")):
        if (table := run.table(name)) is not None:
            yield element("h3", heading)
            yield whole(table)


def answers(run):
    """What a model answered, beside the first of the references."""
    table = run.table("/answers")
    if table is None:
        return
    names = list(table.columns)
    score = names[names.index("references") + 1]
    rows = [
        (table["question"][i], cell(table[score][i], ""), table["prediction"][i], json.loads(table["references"][i])[0])
        for i in range(min(len(table), LONGEST_TABLE))
    ]
    caption = f"The first {len(rows)} of {len(table):,} answers." if len(table) > len(rows) else None
    shown = html.table(["question", score.replace("_", " "), "answer", "first reference"], rows, (1,), caption)
    yield html.folded("Answers beside references", shown)


def translations(run):
    """What a translator made of the test set, beside source and reference."""
    table = run.table("/translations/test")
    if table is None:
        return
    rows = [
        tuple(str(table[name][i]) for name in ("source", "translation", "reference"))
        for i in range(min(len(table), LONGEST_TABLE))
    ]
    caption = f"The first {len(rows)} of {len(table):,} sentences." if len(table) > len(rows) else None
    yield html.folded("Translations beside references", html.table(["source", "translation", "reference"], rows, (), caption))


def column_title(table, name):
    unit = {"byte": "MiB", "FLOP/s": "GFLOP/s", "1": ""}.get(table.units[name], table.units[name])
    return name.replace("_", " ") + (f" ({unit})" if unit else "")


def cell(value, unit):
    if isinstance(value, (str, np.str_)):
        return str(value)
    if not math.isfinite(float(value)) or (unit == "byte" and value < 0):
        return "–"
    value = float(value) / {"byte": 2**20, "FLOP/s": 1e9}.get(unit, 1)
    return f"{value:,.0f}" if value.is_integer() or abs(value) >= 1000 else f"{value:.3g}"


def whole(table):
    names = [n for n in table.columns if n in ("model",) or len(set(table[n].tolist())) > 1 or len(table) == 1]
    fixed = [
        f"{n} {value}" for n in table.columns if n not in names and (value := cell(table[n][0], table.units[n])) != "–"
    ]
    rows = [[cell(table[n][i], table.units[n]) for n in names] for i in range(min(len(table), LONGEST_TABLE))]
    numbers = [i for i, n in enumerate(names) if table[n].dtype.kind in "if"]
    caption = table.meaning + (f"; in every row: {', '.join(fixed)}" if fixed else "")
    if len(table) > LONGEST_TABLE:
        caption += f" (the first {LONGEST_TABLE} of {len(table):,} rows)"
    return html.table([column_title(table, n) for n in names], rows, numbers, caption)


def medians(speed):
    """Median, least and most seconds by model and setting."""
    names = [n for n in ("model", "n", "batch", "dropout", "threads") if n in speed]
    groups = {}
    for row in range(len(speed)):
        groups.setdefault(tuple(cell(speed[n][row], "") for n in names), []).append(float(speed["seconds"][row]))
    rows = [
        (*key, *(words.quantity(f(times), "s") for f in (np.median, min, max)), str(len(times)))
        for key, times in groups.items()
    ]
    head = (*names, "median", "least", "most", "repetitions")
    return html.table(head, rows, numbers=range(len(names), len(head)), caption=speed.meaning)
