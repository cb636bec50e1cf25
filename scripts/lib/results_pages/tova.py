"""The tables of results/tova.md: each a function that gives a heading and rows."""

from functools import partial

from .claims import BY_SEED, MISS, NOT_SEEN, eighth, eighth_by_seed, missed, texts_that_fit
from .files import link, mebibytes, middle, number, paired, spread, unless_impossible
from .small_decoders import long_perplexity, small_cost, small_perplexity
from .smollm2 import eighth_by_book, eighth_perplexity, perplexity_of_a_book

CACHES = {"tova": "TOVA", "tova head-wise": "TOVA head-wise", "h2o head-wise": "H2O head-wise", "window+4": "window+4"}


def scoring(files):
    def cell(cache, size, threads):
        row = files.row("scoring.csv", f"{cache} cache.size={size}")
        name = f"{threads}_thread{'s' * (threads > 1)}"
        thousands = float(row[f"tokens_per_second_{name}"]) / 1000
        return f"{middle(row, f'fraction_of_full_{name}', 2)} ({number(thousands, 2)})"

    sizes = (64, 512, 1024)
    return ["threads, cache", *(f"k = {size:,}" for size in sizes)], [
        [f"{threads}, {name}", *(cell(cache, size, threads) for size in sizes)]
        for threads in (1, 2) for cache, name in CACHES.items()
    ]  # fmt: skip


def scoring_rates(files):
    """TOVA's rows: what the full cache beside it reached, and both their shares of the machine's matrix products."""
    rows = []
    for threads, name in ((1, "1_thread"), (2, "2_threads")):
        for size in (64, 512, 1024):
            row = files.row("scoring.csv", f"tova cache.size={size}")
            rows.append([f"{threads}, {size:,}", number(row[f"full_tokens_per_second_{name}"], 0),
                         number(100 * float(row[f"full_product_share_{name}"]), 0),
                         number(100 * float(row[f"product_share_{name}"]), 0),
                         number(float(row[f"product_rate_{name}"]) / 1e9, 0),
                         f"{mebibytes(row['full_peak_bytes'])} / {mebibytes(row['peak_bytes'])}"])  # fmt: skip
    return ["threads, k", "full cache, tokens a second", "full: share of the machine's rate of matrix products, %",
            "TOVA: share, %", "that rate, GFLOP/s", "tensors beyond the weights, full / TOVA, MiB"], rows  # fmt: skip


def decoding(files):
    rows = []
    for threads, name in ((1, "1_thread"), (2, "2_threads")):
        for texts in (1, 8, 16):
            caches = [files.row("decoding.csv", f"{cache} batch_size={texts}")
                      for cache in ("full", "full, Torch's attention", "window", "tova")]  # fmt: skip
            full, torch, tova = caches[0], caches[1], caches[-1]
            ratios = [unless_impossible(number(tova[f"step_seconds_{name}_speedup_{to}"], 2),
                                        tova[f"read_share_{name}"], beside[f"read_share_{name}"])
                      for to, beside in (("full", full), ("torch", torch))]  # fmt: skip
            shares = " / ".join(number(100 * float(r[f"read_share_{name}"]), 0) for r in (full, tova))
            rates = [number(r[f"tokens_per_second_{name}"], 0) for r in caches]
            rows.append([f"{threads}, {texts}", *rates, *ratios, shares,
                         f"{mebibytes(full['cache_bytes'])} / {mebibytes(tova['cache_bytes'])}"])  # fmt: skip
    return ["threads, texts", "full", "full, Torch's attention", "window", "TOVA", "TOVA × full", "× Torch's",
            "share of the read rate, full / TOVA, %", "caches, full / TOVA, MiB"], rows  # fmt: skip


def smollm2_small(files):
    """Perplexity of a real model on eight chunks; costs are against the full cache's row."""
    full, rows = None, []
    for row in files.rows("pg19_smollm2_small.csv"):
        full = full or float(row["perplexity"])
        cost = 100 * (float(row["perplexity"]) / full - 1)
        rows.append([row["label"], spread(row, "perplexity", 2), number(cost, 1) if rows else "–",
                     mebibytes(row["cache_bytes"])])  # fmt: skip
    return ["cache", "perplexity ± standard error over books", "more than full, %", "keys and values, MiB"], rows


def smollm2_scoring(files):
    rows = []
    for label, kind in (("tova", "fp32"), ("tova, bf16", "bf16")):
        row = files.row("scoring_smollm2.csv", f"{label} cache.size=512")
        for threads, name in ((1, "1_thread"), (2, "2_threads")):
            rows.append([f"{kind}, {threads}", number(row[f"full_tokens_per_second_{name}"], 0),
                         number(row[f"tokens_per_second_{name}"], 0), middle(row, f"fraction_of_full_{name}", 2),
                         number(100 * float(row[f"full_product_share_{name}"]), 0),
                         number(100 * float(row[f"product_share_{name}"]), 0),
                         number(float(row[f"product_rate_{name}"]) / 1e9, 0)])  # fmt: skip
    return ["weights, threads", "full cache, tokens a second", "TOVA", "TOVA's time over full's, median [quartiles]",
            "full: share of the rate of products, %", "TOVA: share, %", "that rate, GFLOP/s"], rows  # fmt: skip


def scoring_policies(files):
    """What each policy's own work adds: times beside TOVA's, each as a part of the full cache's in its run."""
    column, shares = "fraction_of_full_1_thread", ("product_share_1_thread", "full_product_share_1_thread")
    tova = files.row("scoring_policies.csv", "tova cache.size=512")
    table = []
    for row in files.ours("scoring_policies.csv"):
        over_full, over_tova = number(row[column], 2), number(float(row[column]) / float(tova[column]), 2)
        table.append([row["label"], number(row["tokens_per_second_1_thread"], 0),
                      unless_impossible(over_full, *(row[share] for share in shares)),
                      unless_impossible(over_tova, *(one[share] for one in (row, tova) for share in shares))])  # fmt: skip
    return ["policy", "tokens a second, 1 thread", "time over full's", "time over TOVA's"], table


def smollm2_decoding(files):
    rows = []
    for threads, name in ((1, "1_thread"), (2, "2_threads")):
        for texts in (1, 8):
            rates = [number(files.row("decoding_smollm2.csv", f"{case} batch_size={texts}")[f"tokens_per_second_{name}"], 0)
                     for case in ("full", "tova", "full, bf16", "tova, bf16", "full, bf16, cache too",
                                  "tova, bf16, cache too")]  # fmt: skip
            rows.append([f"{threads}, {texts}", *rates])
    return ["threads, texts", "full, fp32", "TOVA, fp32", "full, bf16", "TOVA, bf16", "full, bf16 cache",
            "TOVA, bf16 cache"], rows  # fmt: skip


def llama_cpp(files):
    rows = []
    for row in files.rows("llama_cpp.csv"):
        rates = {name: float(row[f"{name}_tokens_per_second"])
                 for name in ("prompt", "decode", "full_prompt", "full", "tova_prompt", "tova")}  # fmt: skip
        rows.append([f"{row['type']}, {row['threads']}",
                     *(number(rates[name], 0) for name in ("prompt", "full_prompt", "tova_prompt")),
                     f"{number(rates['full_prompt'] / rates['prompt'], 2)} / "
                     f"{number(rates['tova_prompt'] / rates['prompt'], 2)}",
                     *(number(rates[name], 1) for name in ("decode", "full", "tova")),
                     f"{unless_impossible(number(rates['full'] / rates['decode'], 2), row['full_read_share'])} / "
                     f"{number(rates['tova'] / rates['decode'], 2)}"])  # fmt: skip
    return ["weights, threads", "reading: llama.cpp", "full", "TOVA", "× llama.cpp, full / TOVA",
            "decoding: llama.cpp", "full", "TOVA", "× llama.cpp, full / TOVA"], rows  # fmt: skip


def claims(files):
    """The README's table: TOVA on a real model, and on one that was trained here."""
    real, by_book = partial(eighth_perplexity, files), partial(eighth_by_book, files)
    beyond, of_a_book = partial(long_perplexity, files), partial(perplexity_of_a_book, files)


    def paper(label):
        return number(files.published("tova_pg19.yaml", f"{label}, k = 512" if label != "full" else label, "perplexity"), 2)

    def beside_tova(label, name):
        """Another cache on the same twenty books."""
        row = by_book(label, "tova")
        books = sum(int(row[count]) for count in ("higher", "lower", "equal"))
        miss = "" if float(row["value"]) > 0 else MISS
        return f"{miss}{name} {real(label)}, {paired(row, 1)} % above TOVA, in {row['higher']} of {books} books"

    def ours(label):
        return small_perplexity(files, label, 128)

    def cost(label):
        return f"{small_cost(files, label, 128)} %"

    geometry = {size: f"{eighth(files, 'throughput_7b.csv', size)} × in {size} GiB ({texts_that_fit(files, size)})" for size in ("16", "19")}
    speeds = [eighth_by_seed(files, size) for size in BY_SEED]
    fastest = files.note("paper.tova.throughput_512")
    both = f"{link('pg19_smollm2.csv')}, {link('pg19_perplexity_small.csv')}"
    return ["claim", "paper: LLaMA-2-7B, k = 512 of 4,096", "SmolLM2-135M, k = 512 of 4,096, 20 books, paired (± over books)",
            "3.2 million weights trained here, k = 128 of 1,024, 40 books (± over books)", "file"], [
        ["an eighth of the context costs little perplexity", f"{paper('full')} → {paper('tova')}",
         f"{real('full')} → {real('tova')}: {paired(by_book('tova', 'full'), 1)} %", f"{ours('full')} → {ours('tova')}: {cost('tova')}", both],
        ["TOVA beats window+4", f"{paper('tova')} against {paper('window+4')}", beside_tova("window+4", "window+4"),
         f"{MISS}window+4 costs {cost('window+4')}", both],
        ["TOVA beats H2O", f"{paper('tova')} against {paper('h2o head-wise')}", beside_tova("h2o head-wise", "H2O"),
         f"{MISS}H2O costs {cost('h2o head-wise')}", both],
        ["a window without the first tokens breaks down", paper("window"),
         f"{real('window')}, {paired(by_book('window', 'full'), 1)} % above full", f"{NOT_SEEN}costs {cost('window')}", both],
        ["heads that choose together do better than apart", f"{paper('tova')} against {paper('tova head-wise')}",
         beside_tova("tova head-wise", "apart"), f"apart costs {cost('tova head-wise')}; H2O goes the other way", both],
        ["70,000 tokens can be read with k = 512", "yes (a curve)",
         f"one book: {of_a_book('tova cache.compress_gaps=true')}, full cache in chunks of 8,192 "
         f"{of_a_book('full, chunks of 8,192')}, window+4 {of_a_book('window+4 cache.compress_gaps=true')}",
         f"{NOT_SEEN}TOVA {beyond('tova')}, window {beyond('window')}; with k = 64 it holds",
         f"{link('long_smollm2.csv')}, {link('pg19_long_small.csv')}"],
        ["in a fixed memory decoding is faster with an eighth", f"{fastest} × (V100)",
         f"{missed(speeds, fastest)}{' and '.join(speeds)} × in {' and '.join(BY_SEED)} GiB (2 CPU cores, ± sd over 3 seeds)",
         f"LLaMA-2-7B's geometry, random weights, one run each: {geometry['16']}; {MISS}{geometry['19']}",
         f"{link('throughput.csv')}, {link('throughput_7b.csv')}"],
    ]  # fmt: skip


TABLES = {f.__name__: f for f in (scoring, scoring_rates, decoding, smollm2_small, smollm2_scoring, scoring_policies,
                                  smollm2_decoding, llama_cpp)}  # fmt: skip
TABLES["tova_claims"] = claims
