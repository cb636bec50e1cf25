"""The tables of results/tova.md on SmolLM2-135M and PG-19: by policy, and what TOVA costs and saves."""

from .files import mebibytes, middle, number, paired, unless_impossible

RUNS, FULL, TOVA = "pg19_smollm2.csv", "pg19_smollm2_against_full.csv", "pg19_smollm2_against_tova.csv"
PAPER = "tova_pg19.yaml"
SIZE = 512
NAMES = {"baseline": "baseline: chunks of k", "snapkv_decoding": "SnapKV while decoding", "rkv": "R-KV", "keydiff": "KeyDiff",
         "knorm": "key norm", "knorm, first two layers full": "key norm, first two layers full",
         "caote": "CAOTE", "caote head-wise": "CAOTE head-wise"}  # fmt: skip


def eighth_perplexity(files, label):
    """Of a cache with an eighth of the text, or of the full one."""
    return number(files.row(RUNS, label if label == "full" else f"{label} cache.size={SIZE}")["perplexity"], 2)


def eighth_by_book(files, label, against):
    """The row that compares such a cache with the full one or with TOVA over the same books."""
    return files.row({"full": FULL, "tova": TOVA}[against], f"{label} cache.size={SIZE}", figure="perplexity")


def perplexity_of_a_book(files, case):
    """Of 70,000 tokens of one book as one sequence."""
    return number(files.row("long_smollm2.csv", case)["perplexity"], 1)


def _by_case(files, name):
    """By case, the difference of perplexity over the same books."""
    return {row["case"]: row for row in files.rows(name) if row["figure"] == "perplexity"}


def _per_cent(row, digits=1):
    return "–" if row is None else paired(row, digits)


def _books(row):
    """In how many books of all it is above."""
    return "–" if row is None else f"{row['higher']} of {sum(int(row[c]) for c in ('higher', 'lower', 'equal'))}"


def smollm2_pg19(files):
    """At one size: what each policy costs above the full cache and beside TOVA, paired by book, and what the paper's costs."""
    published = {row["name"]: float(row["perplexity"]) for row in files.rows(PAPER)}
    full, tova = _by_case(files, FULL), _by_case(files, TOVA)
    rows = []
    for row in files.ours(RUNS):
        if not row["perplexity"] or row["cache.size"] not in ("", str(SIZE)):
            continue
        theirs = published.get(f"{row['label']}, k = {SIZE}")
        rows.append([NAMES.get(row["label"], row["label"]), number(row["perplexity"], 2), _per_cent(full.get(row["case"])),
                     number(100 * (theirs / published["full"] - 1), 1) if theirs else "–",
                     _per_cent(tova.get(row["case"]), 2), _books(tova.get(row["case"])), mebibytes(row["cache_bytes"])])  # fmt: skip
    return ["cache", "perplexity, all tokens", "above the full cache, % ± se over books", "the same in the paper, %",
            "above TOVA, % ± se over books", "books in which it is above", "cache, MiB"], rows  # fmt: skip


def smollm2_cost(files):
    """What TOVA costs and saves by the part of the text that it keeps: quality, both speeds and memory."""
    full = files.row("cost_smollm2_decoding.csv", "full")
    rows = []
    for run in files.ours("cost_smollm2.csv"):
        decoded = full if run["label"] == "full" else files.row("cost_smollm2_decoding.csv", run["case"])
        cost = "–" if decoded is full else paired(files.row("cost_smollm2_against_full.csv", run["case"], figure="perplexity"), 1)
        shares = [one["bound_share_2_threads"] for one in (decoded, full)]
        rows.append(["all" if decoded is full else run["cache.share"].strip('"'), number(run["perplexity"], 2), cost,
                     number(run["tokens_per_second"], 0), number(run["tokens_per_second_speedup_full"], 2),
                     middle(decoded, "tokens_per_second_2_threads", 0),
                     unless_impossible(middle(decoded, "tokens_per_second_2_threads_speedup_full", 2), *shares),
                     number(float(run["cache_bytes"]) / 2**20, 1)])  # fmt: skip
    return ["states kept", "perplexity", "above the full cache, % ± se over books", "scoring, tokens a second", "× full",
            "decoding, tokens a second, median [quartiles]", "× full", "keys and values, MiB"], rows  # fmt: skip


def smollm2_long(files):
    """One book as one sequence: perplexity over all tokens and by where in it a token stands; the full cache's in its own chunks."""
    parts = {}
    for row in files.rows("long_smollm2_by_position.csv"):
        parts.setdefault(row["case"], {})[row["first"]] = row
    places = list(next(iter(one for one in parts.values() if len(one) > 2)).values())
    rows = []
    for run in files.ours("long_smollm2.csv"):
        name = run["case"].replace(" cache.compress_gaps=true", ", compressed").replace(" cache.compress_gaps=false", ", as they are")
        cells = [number(parts[run["case"]][place["first"]]["perplexity"], 1) if place["first"] in parts[run["case"]] else "–" for place in places]
        rows.append([name, number(run["perplexity"], 2), *cells, mebibytes(run["cache_bytes"])])
    spans = [f"{number(place['first'], 0)} to {number(place['last'], 0)}" for place in places]
    return ["cache, positions", "perplexity, all tokens", *spans, "cache, MiB"], rows


TABLES = {f.__name__: f for f in (smollm2_pg19, smollm2_cost, smollm2_long)}
