"""The tables of results/tova.md on answers, retrieval, long texts, kept tokens and throughput."""

from .files import mebibytes, number, spread, unless_impossible

SEEN = {"": "nothing dropped", "0": "no", "1": "yes"}


def _questions(file, metric, beside=None):
    """beside: another measure and its name, in a column of its own."""

    def table(files):
        rows = []
        for row in files.ours(file):
            rows.append([row["label"], spread(row, metric, 2), *([spread(row, beside[0], 2, 100)] if beside else []),
                         spread(row, f"{metric}_difference_full", 2) if row["label"] != "full" else "–",
                         number(row[f"published_{metric}_difference_full"], 0), SEEN[row["question_visible"]], number(row["new_tokens"], 0), mebibytes(row["cache_bytes"])])  # fmt: skip
        return ["cache", "score ± standard error over questions", *([beside[1]] if beside else []), "less full's, paired ± standard error",
                "published, in words: at worst", "question visible when states were dropped", "tokens of an answer", "keys and values, MiB"], rows  # fmt: skip

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
                passkeys = next(iter(found.values()))["published_string_match"]
                rows.append([label, number(length, 0), seen,
                             *(number(found[d]["string_match"], 0) if d in found else "–" for d in depths),
                             number(passkeys, 0)])  # fmt: skip
    return ["cache", "tokens", "question visible when states were dropped", *(f"found at depth {d} %, %" for d in depths),
            "published, of passkeys: at best"], rows  # fmt: skip


def retrieval_variants(files):
    """Shares of needles found, in per cent; a row a cache, a column a task of RULER's."""
    ours = [row for row in files.ours("retrieval_variants.csv") if row["string_match"]]
    variants = list(dict.fromkeys(row["benchmark.variant"] for row in ours))
    rows = []
    for label in dict.fromkeys(row["label"] for row in ours):
        found = {row["benchmark.variant"]: row for row in ours if row["label"] == label}
        seen = SEEN[next(iter(found.values()))["question_visible"]]
        rows.append([label, seen, *(number(100 * float(found[v]["string_match"]), 0) if v in found else "–" for v in variants)])  # fmt: skip
    return ["cache", "question visible when states were dropped", *(f"{v}, % found" for v in variants)], rows


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
            share = row["bound_share_2_threads"]
            full = files.row(file, f"full memory_budget={row['memory_budget']}")["bound_share_2_threads"]
            # The full cache beside itself is 1 without an error.
            times = "1.0" if row["label"] == "full" else spread(row, f"{name}_speedup_full", 1)
            times = unless_impossible(times, share, full)
            rows.append([f"{row['memory_budget']} GiB", row["label"], number(row["batch"], 0),
                         spread(row, name, 0 if float(row[name]) > 20 else 1),
                         times, number(row["published_batch"], 0),
                         number(row[f"published_{name}_speedup_full"], 1), number(share and 100 * float(share), 0),
                         number(row["prompt_tokens_per_second_2_threads"], 0), number(float(row["text_cache_bytes"]) / 2**20, 1)])  # fmt: skip
        return ["budget", "cache", "texts that fit", "decoded tokens a second ± sd over runs", "× full ± both sds as if independent",
                "paper: texts that fit", "paper: × full", "share of the bound, %", "tokens of a prompt a second", "keys and values a text, MiB"], rows  # fmt: skip

    return table


LIVES = ("mean_life", "first_token_life", "life_period", "life_newline", "life_possessive", "life_closing_quote")


def kept_tokens(files):
    """Steps and a share, with the paper's in brackets where it gives them."""
    recent = [row["published_recent_share"] for row in files.rows("kept_tokens.csv") if row["kind"] == "published"]
    paper = " to ".join(number(100 * float(share), 0) for share in recent)

    def life(row, name):
        said = row[f"published_{name}"]
        return number(row[name], 0) + (f" [{number(said, 0)}]" if said else "")

    rows = []
    for row in files.ours("kept_tokens.csv"):
        mean, *others = (life(row, name) for name in LIVES)
        rows.append([row["label"], row["cache.size"], mean, number(100 * float(row["recent_share"]), 0), *others])
    return ["cache", "k", "mean life, steps [paper's]", f"recent among the kept, % [paper's TOVA, any k: {paper}]",
            "first token's life", "period", "newline", "possessive", "closing quote"], rows  # fmt: skip


def kept_tokens_policies(files):
    """As kept_tokens, at one size, with the perplexity of each policy."""
    rows = []
    for row in files.ours("kept_tokens_policies.csv"):
        if not row["perplexity"]:
            continue
        mean, *others = (number(row[name], 0) for name in LIVES)
        rows.append([row["label"], number(row["perplexity"], 2), mean, number(100 * float(row["recent_share"]), 0), *others])  # fmt: skip
    return ["cache", "perplexity", "mean life, steps", "recent among the kept, %", "first token's life", "period",
            "newline", "possessive", "closing quote"], rows  # fmt: skip


TABLES = {
    "squality_small": _questions("squality_small.csv", "rouge_geometric_mean",
                                 ("stemmed_rouge_geometric_mean", "by SQuALITY's own protocol, with a stemmer")),  # fmt: skip
    "qasper_small": _questions("qasper_small.csv", "f1"),
    "throughput": _throughput("throughput.csv"),
    "throughput_small": _throughput("throughput_small.csv"),
    "throughput_7b": _throughput("throughput_7b.csv"),
    **{f.__name__: f for f in (retrieval, retrieval_variants, long_generation_small, kept_tokens, kept_tokens_policies)},
}
