"""What the papers claim beside what was found here, claim by claim: the tables at the head of the pages in results/."""

from .files import link, number, spread, unless_impossible

HEADING = ["claimed", "published", "ours ± (over what)", "seeds", "file"]
MISS = "**missed:** "
# Of both pages, word by word.
RULE = ("**missed** is an order that was not found, or a ratio that falls short of the paper's, however little; an accuracy within "
        "two of its errors of the paper's is not.")  # fmt: skip


def missed(ours, paper, better="higher"):
    """MISS where a ratio falls short; of several the worst decides. One that was withdrawn says nothing."""
    said = [float(one.split(" ")[0]) for one in map(str, ours) if one != "withdrawn"]
    short = any(one < float(paper) if better == "higher" else one > float(paper) for one in said)
    return MISS if short else ""


def paired_in_small(files):
    """Luna-16 less the Transformer over the same reviews, in points; models trained anew, seeds averaged."""
    row = files.row("byte_order_paired.csv", "Luna-16", figure="accuracy")
    return " ± ".join(number(100 * float(row[column]), 2) for column in ("value", "standard_error"))


def luna(files):
    trained = files.row("recipe_lra_luna.csv", "model.encoder.attention.projection_length=16")
    small = {row["case"]: row for row in files.rows("lra_text_small.csv") if row["kind"] != "published"}
    floor = spread(small["logistic regression on byte counts"], "accuracy", 2)

    def in_small(*models):
        return [spread(small[model], "accuracy", 2) for model in models]

    shuffled = {row["label"]: row for row in files.rows("byte_order.csv")}

    def published(model):
        return number(small[model]["published_accuracy"], 2)

    rows = [
        ["Luna-16 reaches its accuracy on LRA byte-level text", f"{published('Luna-16')} %",
         f"{spread(trained, 'accuracy', 2)} % (over examples), selected on held-out reviews; "
         f"{number(100 * float(trained['accuracy_selected_on_test']), 2)} % selected on test, as probably in the paper",
         "1", _link("recipe_lra_luna.csv")],
        ["an accuracy there shows that a long text was understood", "–",
         f"{MISS}byte counts alone {spread(trained, 'accuracy_byte_counts', 2, 100)} % (over examples)",
         "1", _link("recipe_lra_luna.csv")],
        ["and that its words were read in their order", "–",
         f"{MISS}in small, all bytes of a review shuffled cost "
         f"{spread(shuffled['Luna-16'], 'accuracy_lost_text', 2, 100)} points, the Transformer "
         f"{spread(shuffled['Transformer'], 'accuracy_lost_text', 2, 100)} (sd over seeds)",
         "3", _link("byte_order.csv")],
        ["Luna-16 is as good as the Transformer", f"{published('Luna-16')} against {published('Transformer')} %",
         "in small {} against {} % (sd over seeds), trained anew {} points (over reviews, paired): no difference; byte counts "
         "{} % (over examples)".format(*in_small("Luna-16", "Transformer"), paired_in_small(files), floor),
         "3", f"{_link('lra_text_small.csv')}, {_link('byte_order_paired.csv')}"],
        ["a longer P makes Luna no worse: l = 16, 128, 256",
         " / ".join(published(f"Luna-{length}") for length in (16, 128, 256)) + " %",
         "in small {} / {} / {} % (sd over seeds): no order".format(*in_small("Luna-16", "Luna-128", "Luna-256")),
         "3", _link("lra_text_small.csv")],
    ]  # fmt: skip
    faster, smaller = "trains {} times as fast as the Transformer", "needs {} of the Transformer's memory"
    for model in ("Luna-16", "Luna-128", "Luna-256", "Linformer", "Performer", "Local attention"):
        rows.append(_step(files, model, "train_seconds_speedup_textbook", 1, faster))
    for model in ("Luna-16", "Performer", "Synthesizer"):
        rows.append(_step(files, model, "train_allocator_peak_fraction_textbook", 2, smaller))
    return HEADING, rows


def _step(files, model, column, digits, claim):
    """A training step of 4,096 tokens."""
    row = files.row("speed_memory.csv", f"{model} length=4096")
    ours, paper = float(row[column]), float(row[f"published_{column}"])
    miss = missed([ours], paper, "higher" if "speedup" in column else "lower")
    how = "median of 3 rounds" if "speedup" in column else "one step"
    text = number(paper, max(digits, len(str(row[f"published_{column}"]).partition(".")[2])))
    return [f"{model} {claim.format(text)} at 4,096 tokens", text,
            f"{miss}{number(ours, digits)} ({how}, no spread), 2 CPU cores, batch 1",
            "1", _link("speed_memory.csv")]  # fmt: skip


def tova(files):
    def paper(label, size=512):
        return number(files.published("tova_pg19.yaml", f"{label}, k = {size}" if size else label, "perplexity"), 2)

    def small(label):
        row = "full" if label == "full" else f"{label} cache.size=128"
        return number(files.row("pg19_perplexity_small.csv", row)["perplexity"], 2)

    def cost(label):
        return files.note(f"pg19_perplexity_small.cost.{label}.128")

    def real(label):
        row = "full" if label == "full" else f'{label} cache.share="1/8"'
        return number(files.row("pg19_smollm2_small.csv", row)["perplexity"], 1)

    def beyond(label):
        return number(files.row("pg19_long_small.csv", f"{label} cache.size=512")["perplexity"], 1)

    def score(name, label, column):
        row = files.row(name, label)
        return spread(row, column, 1)

    weights = {"trained": "3.2 M weights", "real": "SmolLM2-135M, 8 chunks"}
    kept = [files.row("kept_tokens.csv", f"tova cache.size={size}") for size in (256, 512, 1024, 2048)]
    recent = [100 * float(row["recent_share"]) for row in kept]
    shares = " / ".join(number(share, 0) for share in recent)
    outside = "" if all(72.5 <= share < 76.5 for share in recent) else MISS
    throughput = [eighth(files, "throughput.csv", size) for size in ("1.35", "2.1")]
    small_model = {size: eighth(files, "throughput_small.csv", size) for size in ("0.85", "1.35")}
    medians = " and ".join(files.note(f"throughput.{size}.median") for size in ("small", "large"))
    fastest = files.note("paper.tova.throughput_512")
    decoding = files.row("decoding.csv", "tova batch_size=16")["step_seconds_1_thread_speedup_full"]
    perplexity, smollm2 = _link("pg19_perplexity_small.csv"), _link("pg19_smollm2_small.csv")
    return HEADING, [
        ["an eighth of the context costs little perplexity", f"{paper('full', 0)} → {paper('tova')}",
         f"{small('full')} → {small('tova')}, cost {cost('tova')} % (over 40 books), {weights['trained']}; "
         f"{real('full')} → {real('tova')} (no error given), {weights['real']}",
         "1", f"{perplexity}, {smollm2}"],
        ["TOVA beats window+4", f"{paper('tova')} against {paper('window+4')}",
         f"{MISS}cost {cost('tova')} against {cost('window+4')} % (over 40 books), {weights['trained']}",
         "1", perplexity],
        ["the same", f"{paper('tova')} against {paper('window+4')}",
         f"{real('tova')} against {real('window+4')} (no error given), {weights['real']}", "1", smollm2],
        ["TOVA beats H2O", f"{paper('tova')} against {paper('h2o head-wise')}",
         f"{MISS}cost {cost('tova')} against {cost('h2o head-wise')} % (over 40 books), {weights['trained']}",
         "1", perplexity],
        ["a window without the first tokens breaks down", paper("window"),
         f"{MISS}{small('window')} beside {small('full')} of the full cache, {weights['trained']}", "1", perplexity],
        ["the same", paper("window"), f"{real('window')} beside {real('full')}, {weights['real']}", "1", smollm2],
        ["layer-wise (heads together) is better than head-wise", f"{paper('tova')} against {paper('tova head-wise')}",
         f"{small('tova')} against {small('tova head-wise')}, {weights['trained']}", "1", perplexity],
        ["70,000 tokens can be read with k = 512", "yes",
         f"{MISS}TOVA {beyond('tova')} beside the window's {beyond('window')} (26 books), context 1,024", "1",
         _link("pg19_long_small.csv")],
        ["73 to 76 % of the kept tokens are recent", "73 to 76 %",
         f"{outside}{shares} % at k = 256 / 512 / 1,024 / 2,048 (over chunks: below 0.5), SmolLM2-135M", "1",
         _link("kept_tokens.csv")],
        ["QASPER loses about a point of F1 at half the context", "−1",
         score("qasper_small.csv", "tova, k = 2048", "f1_difference_full")
         + " (over 78 questions, paired), SmolLM2-135M: no difference seen", "1", _link("qasper_small.csv")],
        ["SQuALITY loses about a point at an eighth", "−1",
         score("squality_small.csv", "tova, k = 512", "rouge_geometric_mean_difference_full")
         + " (over 40 questions, paired), SmolLM2-135M", "1", _link("squality_small.csv")],
        ["decoding in a fixed memory is faster at an eighth", f"{fastest} ×",
         f"{missed(throughput, fastest)}{' and '.join(throughput)} × in 1.35 and 2.1 GiB (3 runs; medians {medians}), 2 CPU cores, SmolLM2-135M", "3",
         _link("throughput.csv")],
        *([f"the same, LLaMA-2-7B's geometry in {size} GiB", f"{fastest} ×",
           f"{missed([eighth(files, 'throughput_7b.csv', size)], fastest)}"
           f"{eighth(files, 'throughput_7b.csv', size)} × (1 run, no spread), 2 CPU cores, random bf16 weights", "1",
           _link("throughput_7b.csv")] for size in ("16", "19")),
        ["the same, 8 layers × 512", f"{fastest} ×",
         missed(small_model.values(), fastest)
         + " and ".join(f"{times}{' ×' * (times != 'withdrawn')} in {size} GiB" for size, times in small_model.items())
         + " (3 runs), 2 CPU cores, random weights", "3",
         _link("throughput_small.csv")],
        ["decoding 16 texts is faster than with a full cache", "–",
         f"{number(decoding, 1)} × (1 run, no spread), one core, random weights", "1", _link("decoding.csv")],
    ]  # fmt: skip


def eighth(files, name, budget):
    """How many times the full cache's throughput in the same memory TOVA's is with an eighth of the context."""
    rows = [files.row(name, f"{cache} memory_budget={budget}") for cache in ("tova, k = 1/8", "full")]
    times = spread(rows[0], "tokens_per_second_2_threads_speedup_full", 1)
    return unless_impossible(times, *(row["bound_share_2_threads"] for row in rows))


def _link(name):
    return link(name, "reference")


TABLES = {"claims_luna": luna, "claims_tova": tova}
