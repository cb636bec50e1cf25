"""Numbers with their units, and what they mean, in words."""

import math
import re

from cases import above

STATUS = {
    "done": "finished",
    "running": "still running; what follows is as far as it has come",
    "interrupted": "interrupted; the same command continues it from its last checkpoint",
    "failed": "failed",
    "diverged": "diverged: the loss or a gradient stopped being finite",
    "out_of_memory": "ran out of memory",
    "skipped": "skipped",
    "unreadable": "its record cannot be read",
}


def moment(iso):
    """2026-01-02T03:04:05+00:00 as a reader wants it."""
    return iso.replace("T", " ").replace("+00:00", " UTC").replace("Z", " UTC")


def duration(seconds):
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def quantity(value, unit):
    """A number as a reader wants it: 1.2 MiB rather than 1258291 byte."""
    if value is None or not math.isfinite(value):
        return "–" if value is None or math.isnan(value) else str(value)
    if unit == "s":
        return duration(value)
    if unit == "byte":
        return f"{value / 2**20:,.1f} MiB" if value < 2**30 else f"{value / 2**30:,.2f} GiB"
    if unit == "FLOP/s":
        return f"{value / 1e9:,.1f} GFLOP/s"
    if unit == "FLOP":
        return f"{value / 1e9:,.2f} GFLOP"
    number = f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.4g}"
    return number if unit in ("", "1") else f"{number} {unit}"


def percent(figure):
    """An accuracy with its standard error, both in per cent."""
    if math.isfinite(figure.error) and figure.error > 0:
        return f"{100 * figure.value:.2f} % ± {100 * figure.error:.2f}"
    return f"{100 * figure.value:.2f} %"


def first_sentence(text):
    """Up to the first full stop that ends a sentence, or the end of the line."""
    return re.split(r"(?<=[.!?])\s|\n", text.strip(), maxsplit=1)[0]


def is_fraction(figure):
    return figure.name.startswith("accuracy") or figure.name.endswith("_share")


def shown(figure):
    return percent(figure) if is_fraction(figure) else quantity(figure.value, figure.unit)


def interpretation(run):
    """Sentences on what a run's accuracy shows, for the report and the quickstart alike."""
    accuracy, floors = run.figures.get("accuracy"), run.floors("accuracy")
    if accuracy is None:
        return
    for floor in floors:
        if floor.name != "accuracy_majority":
            paired = run.figures.get(above("accuracy", floor.name))
            yield against_floor(accuracy.value - floor.value, paired.error if paired else math.nan, floor, run.symbol)
    for floor in floors:
        if floor.name == "accuracy_majority" and (sentence := against_chance(accuracy, floor)):
            yield sentence


def against_floor(difference, error, floor, symbol):
    """What the difference between a model and a floor that sees only frequencies allows to say. `error`: its standard
    error, paired over the examples that both are tested on; not finite where the record has none."""
    side = "above" if difference >= 0 else "below"
    known = math.isfinite(error)
    paired = f"standard error, paired over the examples: {100 * error:.2f} points"
    size = (
        f"The model is {abs(100 * difference):.2f} percentage points {side} the floor "
        f"({floor.row}), which sees nothing of the order of the {symbol}s "
        f"({paired if known else 'its error is not recorded'})."
    )
    if not known:
        return size
    if difference > 2 * error:
        return f"{size} That is more than two standard errors: the model has learned something that the floor has not."
    if difference < -2 * error:
        return f"{size} That is more than two standard errors: the floor would have been the better classifier."
    return (
        f"{size} That is less than two standard errors: this run does not show that the model has learned more than how "
        f"often each {symbol} occurs. Such an accuracy is a check of the harness, not of attention."
    )


def against_chance(accuracy, majority):
    """Nothing where the model is clearly above the most frequent class."""
    if accuracy.value > majority.value + 2 * accuracy.error:
        return ""
    return "It is not clearly above always answering with the most frequent class: it has learned next to nothing."
