"""The tables of results/luna.md about Luna that reads from left to right."""

import math

from .files import number, spread

FORMS = ("chunks", "outer_products", "softmax")
CONTEXT = "2048"  # of the rows that have one length only, set by their case and in no column


def _by_context(files, name, column):
    """Our rows of a file, each with its length of context and what `column` is of the Transformer's there."""
    rows = files.ours(name)
    base = {row["context"]: float(row[column]) for row in rows if row["label"] == "Transformer"}
    for row in rows:
        context = row["context"] or CONTEXT
        yield row, context, float(row[column]) / base[context]


def causal_speed(files):
    """Every length and l: the scan's time, what the other forms take of it, the shares of the machine's rates, and memory."""
    rows = []
    for row in files.rows("causal_speed.csv"):
        for threads in ("1_thread", "2_threads"):
            times = [spread(row, c, 1) if row.get(c := f"scan_speedup_{form}_{threads}") else "–" for form in FORMS]
            memory = [number(float(row[f"extra_bytes_{form}"]) / 2**20, 1) if row.get(f"extra_bytes_{form}") else "–"
                      for form in ("scan", *FORMS)]  # fmt: skip
            rows.append([row["label"].removesuffix(" tokens"), row["projection_length"], threads[0],
                         spread(row, f"seconds_scan_{threads}", 1, 1e3), *times,
                         *(number(100 * float(row[f"{rate}_share_{threads}"]), 0) for rate in ("product", "read")),
                         " / ".join(memory) if threads == "1_thread" else ""])  # fmt: skip
    return ["tokens", "l", "threads", "scan, ms, ± sd over runs", "chunks: × the scan", "outer products: ×", "fused softmax: ×",
            "share of the rate of products, %", "of the read rate, %",
            "beyond operands and results, MiB: scan / chunks / outer products / softmax"], rows  # fmt: skip


def decoder_only_lm(files):
    """Perplexity of every model at every length of context."""
    table = [
        [row["label"], number(context, 0), number(float(row["parameters"]) / 1e6, 2), spread(row, "perplexity_validation", 1),
         number(ratio, 2), number(float(row["training_seconds"]) / 60, 0)]
        for row, context, ratio in _by_context(files, "decoder_only_lm.csv", "perplexity_validation")
    ]  # fmt: skip
    return ["model", "context", "parameters, M", "perplexity ± se over chunks, 1 seed", "of the Transformer's",
            "training, minutes, in shared use"], table  # fmt: skip


def bounded_state(files):
    """Perplexity against the bytes that are kept of a text."""
    rows = sorted(files.ours("bounded_state.csv"), key=lambda row: float(row["cache_bytes"]))
    return ["model", "k or l", "kept of a text, KiB", "perplexity ± se over chunks, 1 seed"], [
        [row["label"], row["label"].rpartition("-")[2] if row["label"].startswith("Luna") else row["cache.size"],
         number(float(row["cache_bytes"]) / 2**10, 0), spread(row, "perplexity", 1)]
        for row in rows
    ]  # fmt: skip


def lm_training_speed(files):
    """Tokens a second of a training by itself, every model at every length of context."""
    return ["model", "context", "tokens a second, 1 thread, ± sd over runs", "× the Transformer's"], [
        [row["label"], number(context, 0), spread(row, "tokens_per_second", 0), number(ratio, 2)]
        for row, context, ratio in _by_context(files, "lm_training_speed.csv", "tokens_per_second")
    ]  # fmt: skip


def _by_target(files, name):
    """Our rows of a file by length of target, the shortest first, and by label."""
    rows = {}
    for row in sorted(files.ours(name), key=lambda row: int(row["target_length"])):
        rows.setdefault(int(row["target_length"]), {})[row["label"]] = row
    return rows.items()


def decode_speed(files):
    """Every length of target: time, time a token and what is kept, Luna beside the Transformer."""
    table = []
    for length, rows in _by_target(files, "decode_speed.csv"):
        both = [rows[label] for label in ("Transformer", "Luna-16")]
        seconds = [float(row["decode_seconds"]) for row in both]
        table.append([number(length, 0), *(number(t, 2) for t in seconds), *(number(1e3 * t / length, 2) for t in seconds),
                      number(seconds[0] / seconds[1], 2),
                      *(number(float(row["decode_state_bytes"]) / 2**20, 1) for row in both)])  # fmt: skip
    return ["tokens of a target", "Transformer, s", "Luna-16, s", "Transformer, ms a token", "Luna-16, ms a token",
            "Luna's speed, × the Transformer's", "kept, Transformer, MiB", "kept, Luna-16, MiB"], table  # fmt: skip


def _times(scan, other):
    """How many times the scan's time another form takes, ± both deviations together, as if they were independent."""
    mean, deviation = ([float(row[f"train_seconds{part}"]) for row in (scan, other)] for part in ("", "_sd"))
    times = mean[1] / mean[0]
    return f"{number(times, 2)} ± {number(times * math.hypot(*(d / m for d, m in zip(deviation, mean))), 2)}"


def translation_training_speed(files):
    """Every length of target: a step's time with the scan, and what the other forms take of it."""
    table = []
    for length, rows in _by_target(files, "translation_training_speed.csv"):
        forms = [rows[form] for form in ("scan", "chunks", "outer products")]
        table.append([number(length, 0), spread(forms[0], "train_seconds", 3), *(_times(forms[0], row) for row in forms[1:]),
                      " / ".join(number(float(row["train_allocator_peak"]) / 2**20, 0) for row in forms)])  # fmt: skip
    return ["tokens of a target", "a step with the scan, s, ± sd over runs", "with chunks: × ± both sds as if independent",
            "with outer products: × ± the same", "most memory held, MiB: scan / chunks / outer products"], table  # fmt: skip


TABLES = {f.__name__: f for f in (causal_speed, translation_training_speed, decoder_only_lm, lm_training_speed, decode_speed, bounded_state)}
