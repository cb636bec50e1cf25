"""How each figure is shown in a table: its title, its unit in the head, its number in the cell."""

import math
import re

TITLES = {
    "accuracy": "test accuracy",
    "accuracy_validation": "validation accuracy",
    "accuracy_selected_on_test": "test accuracy, selected on test",
    "training_seconds": "training",
    "resident_peak": "resident peak",
}
SPEEDS = {  # what tokens_per_second of a task is
    "classify": "training speed",
    "translate": "training speed",
    "train_lm": "training speed",
    "perplexity": "reading speed",
    "long_generation": "generation speed",
}
PHASES = {"train": "training", "infer": "inference"}
MEASURES = {
    "seconds": "time of a step",
    "tokens_per_second": "speed",
    "allocator_peak": "peak memory, allocator",
    "resident_peak": "peak memory, resident",
    "flop_rate": "rate of floating-point operations",
    "product_share": "share of the machine's matrix-product rate",
}
SCORES = ("accuracy", "rouge", "stemmed_rouge", "f1", "string_match")  # fractions that are written in per cent
SHARE = re.compile(r"_share(_\d+_threads?)?$")


def title(metric, task=""):
    """`task`: of the experiment, by which a speed is named."""
    if metric == "tokens_per_second":
        return SPEEDS.get(task, "speed")
    phase, _, measure = metric.partition("_")
    if phase in PHASES and measure in MEASURES:
        return f"{PHASES[phase]}: {MEASURES[measure]}"
    return TITLES.get(metric, metric.replace("_", " "))


def measure(metric):
    """The title without the phase."""
    name = MEASURES.get(metric.partition("_")[2], title(metric))
    return name[0].upper() + name[1:]


def scale(metric, unit):
    """(factor, unit in which the cell is written)."""
    if metric.startswith(SCORES) or SHARE.search(metric):
        return 100.0, "%"
    if metric == "parameters":
        return 1e-6, "million"
    return {
        "byte": (2.0**-20, "MiB"),
        "FLOP/s": (1e-9, "GFLOP/s"),
        "token/s": (1e-3, "thousand tokens/s"),
        "1": (1.0, ""),
    }.get(unit, (1.0, unit))


def head(metric, unit, name=None):
    """`name`: instead of the title."""
    shown = scale(metric, unit)[1]
    return (name or title(metric)) + (f" ({shown})" if shown else "")


def number(value, metric=""):
    """Three digits that count, without powers of ten; scores with two decimals."""
    if not math.isfinite(value):
        return "–"
    if metric.startswith(SCORES):
        return minus(f"{value:.2f}")
    size = math.floor(math.log10(abs(value))) if value else 0
    return minus(f"{value:,.{max(0, 2 - size)}f}")


def minus(text):
    """With the sign of a minus, as wide as a plus, for a hyphen."""
    return text.replace("-", "−")


def signed(text):
    """A difference: one that is not negative has a plus."""
    return text if text.startswith("−") else f"+{text}"


def estimate(held, metric):
    """Mean ± standard deviation over seeds, of times over five or more (or five rounds of a single run) the median
    [quartiles]; of a single run otherwise its value
    with its standard error, (se), as `attnlab table` writes it."""
    if held is None:
        return "–"
    factor, _ = scale(metric, held.unit)
    if held.quartiles:
        lower, median, upper = (number(factor * value, metric) for value in held.quartiles)
        return f"{median} [{lower}, {upper}]"
    mean, spread = factor * held.mean, factor * held.spread
    text = number(mean, metric)
    if not math.isfinite(spread) or spread == 0:
        return text
    decimals = len(text.partition(".")[2])
    return f"{text} ± {spread:,.{decimals}f}" + ("" if held.over_seeds else " (se)")


def published(rows, metric, unit=""):
    """The paper's figures about one case in the unit of ours, with their names where there are several."""
    factor, _ = scale(metric, unit)
    form = ".2f" if metric.startswith("accuracy") else ",.4g" if unit == "byte" else "g"
    shown = [(minus(f"{factor * value:{form}}"), name) for value, name in rows]
    if len(shown) == 1:
        return shown[0][0]
    return "; ".join(f"{value} ({name})" for value, name in shown) or "–"
