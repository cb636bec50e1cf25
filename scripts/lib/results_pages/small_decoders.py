"""The tables of results/tova.md on decoders that were trained here on two cores."""

import statistics

from .files import number, paired, spread

MODELS = {"train_pg19_small": "books", "train_pg19_small_bos": "chunks"}
LAST_POSITIONS = "64128"
LONG = {
    "window": "window",
    "window+4": "window+4, gaps compressed",
    "h2o layer-wise": "h2o layer-wise, gaps compressed",
    "tova": "tova, gaps compressed",
    "tova without compressed gaps": "tova, positions as they are",
}
SIZES = (64, 128, 256, 512)
POLICIES = {"baseline": "baseline: truncated context, chunks of k", "knorm": "key norm",
            "knorm, first two layers full": "key norm, first two layers full"}  # fmt: skip
READINGS = {"chunk": "with BOS", "none": "without"}


def trained(files):
    rows = []
    for name, trained_with in MODELS.items():
        row = files.row(f"{name}.csv", name)
        rows.append([f"before {trained_with}", *(number(row[column], 0) for column in ("parameters", "training_seconds", "tokens_per_second")),
                     spread(row, "perplexity_validation", 1)])  # fmt: skip
    return ["BOS in training and validation", "weights", "training, s", "trained tokens a second",
            "perplexity on six validation books ± standard error over books"], rows  # fmt: skip


def small_perplexity(files, label, size):
    case = label if label == "full" else f"{label} cache.size={size}"
    return number(files.row("pg19_perplexity_small.csv", case)["perplexity"], 2)


def small_cost(files, label, size):
    """Per cent above the full cache over the same books, ± standard error over books."""
    return paired(files.row("pg19_perplexity_small_against_full.csv", f"{label} cache.size={size}", figure="perplexity"), 2)


def pg19_perplexity_small(files):
    rows = []
    for label in dict.fromkeys(row["label"] for row in files.ours("pg19_perplexity_small.csv")):
        cells = [small_perplexity(files, label, size) for size in SIZES]
        if label != "full":
            cells = [f"{cell} ({small_cost(files, label, size)})" for cell, size in zip(cells, SIZES)]
        rows.append([POLICIES.get(label, label), *cells])
    return ["cache", *(f"k = {size}" for size in SIZES)], rows


def sinks_small(files):
    """By what stood after BOS in training and by how chunks are read: perplexity with the full cache, and what each other costs."""
    columns = {(model, bos): f"BOS before {trained}, read {read}" for model, trained in MODELS.items() for bos, read in READINGS.items()}

    def case(label, model, bos):
        return f"{label} model={model}.yaml# chunks.bos={bos}"

    def cost(label, model, bos, beside="full"):
        return paired(files.row(f"sinks_small_against_{beside}.csv", case(label, model, bos), figure="perplexity"), 2)

    full = [number(files.row("sinks_small.csv", case("full", *column))["perplexity"], 2) for column in columns]
    labels = dict.fromkeys(row["label"] for row in files.ours("sinks_small.csv") if row["label"] != "full")
    return ["cache", *columns.values()], [
        ["full: perplexity", *full],
        *([f"{label}: above full, % ± se over books", *(cost(label, *column) for column in columns)] for label in labels),
        *([f"{label}: above window, %", *(cost(label, *column, "window") for column in columns)] for label in ("window+1", "window+4")),
    ]


def _costs_by_book(files, case):
    """Per cent of each book's perplexity above its own with the full cache, ascending."""
    held = {}
    for row in files.rows("pg19_books_small_by_book.csv"):
        held.setdefault(row["case"], {})[row["id"]] = float(row["perplexity"])
    return sorted(100 * (value / held["full"][book] - 1) for book, value in held[case].items())


def pg19_books_small(files):
    """Every token of the books: costs paired by book, and how far they differ from book to book."""
    rows = []
    for row in files.ours("pg19_books_small.csv"):
        mean = spread(row, "perplexity_per_book", 1)
        if row["label"] == "full":
            rows.append(["full", number(row["perplexity"], 2), mean, "–", "–"])
            continue
        costs = _costs_by_book(files, row["case"])
        low, _, high = statistics.quantiles(costs, n=4)
        span = f"{number(costs[0], 1)} to {number(costs[-1], 1)}, the middle half {number(low, 1)} to {number(high, 1)}"
        cost = paired(files.row("pg19_books_small_against_full.csv", row["case"], figure="perplexity"), 2)
        rows.append([f"{row['label']}, k = {row['cache.size']}", number(row["perplexity"], 2), mean, cost, span])
    books = len(_costs_by_book(files, "full"))
    return ["cache", "perplexity over all tokens", f"mean over {books} books ± standard error",
            "above full, % ± se over books", "book by book, %"], rows  # fmt: skip


def long_perplexity(files, label):
    """Of texts of 70,000 tokens, k = 512."""
    return number(files.row("pg19_long_small.csv", f"{label} cache.size=512")["perplexity"], 1)


def pg19_long_small(files):
    """Texts of 70,000 tokens: perplexity over all of them, and over the last positions."""
    last = {row["case"]: row for row in files.rows("pg19_long_small_by_position.csv") if row["first"] == LAST_POSITIONS}
    positions = max(int(row["last"]) + 1 - int(row["first"]) for row in last.values())

    def cell(label, size):
        case = f"{label} cache.size={size}"
        both = [float(one) for one in (files.row("pg19_long_small.csv", case)["perplexity"], last[case]["perplexity"])]
        return ", ".join(number(one, 2 if one < 100 else 1) for one in both)

    return ["cache", *(f"k = {size}: whole, last {number(positions, 0)} positions" for size in (64, 512))], [
        [name, cell(label, 64), cell(label, 512)] for label, name in LONG.items()
    ]


TABLES = {"trained": trained, "pg19_perplexity_small": pg19_perplexity_small, "sinks_small": sinks_small,
          "pg19_books_small": pg19_books_small, "pg19_long_small": pg19_long_small}  # fmt: skip
