"""The tables of results/tova.md on answers, retrieval, long texts, kept tokens and throughput."""

from .files import mebibytes, number, spread

SEEN = {"": "nothing dropped", "0": "no", "1": "yes"}


def _questions(file, metric):
    def table(files):
        rows = []
        for row in files.ours(file):
            rows.append([row["label"], spread(row, metric, 2),
                         spread(row, f"{metric}_difference_full", 2) if row["label"] != "full" else "–",
                         SEEN[row["question_visible"]], number(row["new_tokens"], 0), mebibytes(row["cache_bytes"])])  # fmt: skip
        return ["cache", "score ± standard error over questions", "less full's, paired ± standard error",
                "question visible when states were dropped", "tokens of an answer", "keys and values, MiB"], rows  # fmt: skip

    return table


def retrieval(files):
    """Shares of needles found, in per cent; a row a cache and length, a column a depth."""
    rows = []
    ours = [row for row in files.ours("retrieval.csv") if row["string_match"]]
    depths = sorted({int(row["benchmark.depth"]) for row in ours})
    for label in dict.fromkeys(row["label"] for row in ours):
        for length in sorted({int(row["benchmark.length"]) for row in ours}):
            found = {int(row["benchmark.depth"]): row for row in ours
                     if row["label"] == label and int(row["benchmark.length"]) == length}  # fmt: skip
            if found:
                seen = SEEN[next(iter(found.values()))["question_visible"]]
                rows.append([label, number(length, 0), seen,
                             *(number(found[d]["string_match"], 0) if d in found else "–" for d in depths)])  # fmt: skip
    return ["cache", "tokens", "question visible when states were dropped", *(f"depth {d} %" for d in depths)], rows


def long_generation_small(files):
    rows = []
    for row in files.rows("long_generation_small.csv"):
        rows.append([row["label"], spread(row, "full_model_perplexity", 2), spread(row, "repetition", 3),
                     spread(row, "distinct_1", 3), spread(row, "distinct_2", 3), number(row["new_words"], 0),
                     mebibytes(row["cache_bytes"])])  # fmt: skip
    return ["cache", "perplexity under the full cache", "seq-rep-4", "distinct-1", "distinct-2", "words",
            "keys and values, MiB"], rows  # fmt: skip


def _throughput(file):
    def table(files):
        rows, name = [], "tokens_per_second_2_threads"
        for row in files.ours(file):
            if not row[name]:
                continue
            rows.append([f"{row['memory_budget']} GiB", row["label"], number(row["batch"], 0),
                         spread(row, name, 0 if float(row[name]) > 20 else 1),
                         spread(row, f"{name}_speedup_full", 1), number(100 * float(row["bound_share_2_threads"]), 0),
                         number(row["prompt_tokens_per_second_2_threads"], 0), number(float(row["text_cache_bytes"]) / 2**20, 1)])  # fmt: skip
        return ["budget", "cache", "texts that fit", "decoded tokens a second ± sd over runs", "× full", "share of the bound, %",
                "tokens of a prompt a second", "keys and values a text, MiB"], rows  # fmt: skip

    return table


def kept_tokens(files):
    rows = []
    for row in files.ours("kept_tokens.csv"):
        rows.append([row["label"], row["cache.size"], number(row["mean_life"], 0), number(100 * float(row["recent_share"]), 0),
                     number(row["first_token_life"], 0),
                     *(number(row[f"life_{name}"], 0) for name in ("period", "newline", "possessive", "closing_quote"))])  # fmt: skip
    return ["cache", "k", "mean life, steps", "recent among the kept, %", "first token's life", "period", "newline",
            "possessive", "closing quote"], rows  # fmt: skip


TABLES = {
    "squality_small": _questions("squality_small.csv", "rouge_geometric_mean"),
    "qasper_small": _questions("qasper_small.csv", "f1"),
    "throughput": _throughput("throughput.csv"),
    "throughput_small": _throughput("throughput_small.csv"),
    "throughput_7b": _throughput("throughput_7b.csv"),
    **{f.__name__: f for f in (retrieval, long_generation_small, kept_tokens)},
}
