"""What the papers claim beside what was found here, claim by claim: the tables at the head of the pages in results/."""

import statistics
from functools import partial

from .files import link, middle, number, over_rounds, paired, spread, unless_impossible
from .small_decoders import long_perplexity, small_cost, small_perplexity
from .smollm2 import eighth_by_book, eighth_perplexity, perplexity_of_a_book

HEADING = ["claimed", "published", "ours ± (over what)", "seeds", "file"]
MISS, NOT_SEEN, OPEN = "**missed:** ", "**not seen:** ", "**open:** "
T_OF_95_PERCENT = {2: 4.303}  # Student's, by degrees of freedom
SIZES = (256, 512, 1024, 2048)  # k of kept_tokens.csv
BY_SEED = {"1.35": "small", "2.1": "large"}  # budgets of throughput.csv, as notes.csv calls them
# Of both pages, word by word.
RULE = ("We write **missed** where the order of two methods differs from the paper's, where a ratio falls short of the paper's, however "
        "little, or where a figure leaves the range that it gives; **not seen** where an effect that is reported or believed did not "
        "appear; **open** where the error covers both. An accuracy within two of its standard errors of the paper's is not a miss.")  # fmt: skip


def missed(ours, paper, better="higher"):
    """MISS where a ratio falls short; of several the worst decides. OPEN where it does so by less than its own "± error". One that was
    withdrawn says nothing."""
    sign = 1 if better == "higher" else -1
    verdicts = []
    for one in map(str, ours):
        if one == "withdrawn":
            continue
        value, _, error = one.partition(" ± ")
        behind = sign * (float(paper) - float(value))
        verdicts.append(MISS if behind > float(error or 0) else OPEN if behind > 0 else "")
    return next((verdict for verdict in (MISS, OPEN) if verdict in verdicts), "")


# In what the one recorded run of the authors' recipe is not that recipe: its configuration, INDEX.csv.
DEPARTS = "head dropout 0.3, length buckets, tree not clean"


def paired_in_small(files):
    """Accuracies of Luna-16 and the Transformer of byte_order.csv, and what is between them over the same reviews, in points:
    seeds averaged, then one by one."""
    both = {row["label"]: spread(row, "accuracy", 2, 100) for row in files.rows("byte_order.csv")
            if row["label"] in ("Luna-16", "Transformer") and row["runs_done"] == "3"}  # fmt: skip
    row = files.row("byte_order_paired.csv", "Luna-16", figure="accuracy")
    seeds = [100 * float(row["difference"]) for row in files.rows("byte_order_mcnemar.csv")
             if (row["label"], row["against"]) == ("Luna-16", "Transformer")]  # fmt: skip
    reach = T_OF_95_PERCENT[len(seeds) - 1] * statistics.stdev(seeds) / len(seeds) ** 0.5
    low, high = (number(statistics.mean(seeds) + sign * reach, 1) for sign in (-1, 1))
    each = ", ".join(number(seed, 2) for seed in seeds)
    return (f"in small {both['Luna-16']} against {both['Transformer']} % (sd over seeds), {number(100 * float(row['value']), 2)} points, 95 % "
            f"interval {low} to {high} over three seeds (by seed {each}; ± {number(100 * float(row['standard_error']), 2)} over reviews with "
            "these seeds fixed): no difference seen, and one of a whole point not excluded")  # fmt: skip


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
         f"{number(100 * float(trained['accuracy_selected_on_test']), 2)} % selected on test, as probably in the paper; {DEPARTS}",
         "1", _link("recipe_lra_luna.csv")],
        ["an accuracy there shows that a long text was understood", "–",
         f"{NOT_SEEN}byte counts alone {spread(trained, 'accuracy_byte_counts', 2, 100)} % (over examples)",
         "1", _link("recipe_lra_luna.csv")],
        ["and that its words were read in their order", "–",
         f"{NOT_SEEN}in small, all bytes of a review shuffled cost "
         f"{spread(shuffled['Luna-16'], 'accuracy_lost_text', 2, 100)} points, the Transformer "
         f"{spread(shuffled['Transformer'], 'accuracy_lost_text', 2, 100)} (sd over seeds)",
         "3", _link("byte_order.csv")],
        ["Luna-16 is as good as the Transformer", f"{published('Luna-16')} against {published('Transformer')} %",
         f"{paired_in_small(files)}; both below byte counts, {floor} % (over examples)",
         "3", f"{_link('byte_order.csv')}, {_link('byte_order_paired.csv')}"],
        ["a longer P makes Luna no worse: l = 16, 128, 256",
         " / ".join(published(f"Luna-{length}") for length in (16, 128, 256)) + " %",
         "in small {} / {} / {} % (sd over seeds): no difference seen; all below byte counts".format(
             *in_small("Luna-16", "Luna-128", "Luna-256")),
         "3", _link("lra_text_small.csv")],
    ]  # fmt: skip
    faster, smaller = "trains {} times as fast as the Transformer", "needs {} of the Transformer's memory"
    for column, digits, claim in (
        ("train_seconds_speedup_textbook", 1, faster),
        ("train_allocator_peak_fraction_textbook", 2, smaller),
    ):
        at_4096 = [row for row in files.ours("speed_memory.csv") if row["length"] == "4096"]
        rows += [_step(files, row["label"], column, digits, claim) for row in at_4096 if row[f"published_{column}"]]
    return HEADING, rows


def _step(files, model, column, digits, claim):
    """A training step of 4,096 tokens: times over rounds; of memory one is as another."""
    row = files.row("speed_memory.csv", f"{model} length=4096")
    timed = "speedup" in column
    ours, paper = float(over_rounds(row, column)), float(row[f"published_{column}"])
    miss = missed([ours], paper, "higher" if timed else "lower")
    held = f"{middle(row, column, digits)} (median [quartiles] over {row['runs_done']} rounds)" if timed else number(ours, digits)
    text = number(paper, max(digits, len(str(row[f"published_{column}"]).partition(".")[2])))
    return [f"{model} {claim.format(text)} at 4,096 tokens", text, f"{miss}{held}, 2 CPU cores, batch 1",
            "1", _link("speed_memory.csv")]  # fmt: skip


def tova(files):
    real, by_book = partial(eighth_perplexity, files), partial(eighth_by_book, files)
    beyond, of_a_book = partial(long_perplexity, files), partial(perplexity_of_a_book, files)

    def paper(label, size=512):
        return number(files.published("tova_pg19.yaml", f"{label}, k = {size}" if size else label, "perplexity"), 2)

    def small(label):
        return small_perplexity(files, label, 128)

    def cost(label):
        return small_cost(files, label, 128)

    def behind_tova(label):
        """A row that compares TOVA at k = 512 with another cache on the same books."""
        row = by_book(label, "tova")
        miss = "" if float(row["value"]) > 0 else MISS
        return [f"the same, {weights['real']}", f"{paper('tova')} against {paper(label)}",
                f"{miss}{real('tova')} against {real(label)}, {paired(row, 1)} % above TOVA (paired over 20 books; above "
                f"in {row['higher']} of them)", "1", _link("pg19_smollm2_against_tova.csv")]  # fmt: skip

    def at_4096(label):
        return [float(files.row("kept_tokens.csv", f"{label} cache.size={size}")["perplexity"]) for size in SIZES]

    def beats(label):
        """A row that compares TOVA with another cache at every size of chunks of 4,096 tokens."""
        ours = [[number(one, 2) for one in at_4096(cache)] for cache in ("tova", label)]
        theirs = [[paper(cache, size) for size in SIZES] for cache in ("tova", label)]
        behind = any(one > other for one, other in zip(at_4096("tova"), at_4096(label)))
        return [f"the same, k = {sizes} of 4,096", " against ".join(" / ".join(row) for row in theirs),
                f"{MISS if behind else ''}{' against '.join(' / '.join(row) for row in ours)} (untested), SmolLM2-135M, 3 chunks",
                "1", _link("kept_tokens.csv")]  # fmt: skip

    weights = {"trained": "3.2 M weights", "real": "SmolLM2-135M"}
    sizes = " / ".join(number(size, 0) for size in SIZES)
    recent = [100 * float(files.row("kept_tokens.csv", f"tova cache.size={size}")["recent_share"]) for size in SIZES]
    shares = " / ".join(number(share, 0) for share in recent)
    outside = "" if all(72.5 <= share < 76.5 for share in recent) else MISS
    throughput = [eighth_by_seed(files, size) for size in BY_SEED]
    small_model = {size: eighth(files, "throughput_small.csv", size) for size in ("0.85", "1.35")}
    medians = " and ".join(files.note(f"throughput.{size}.median") for size in BY_SEED.values())
    fastest = files.note("paper.tova.throughput_512")
    decoding = files.row("decoding.csv", "tova batch_size=16")["step_seconds_1_thread_speedup_full"]
    perplexity, smollm2 = _link("pg19_perplexity_small.csv"), _link("pg19_smollm2.csv")
    return HEADING, [
        ["an eighth of the context costs little perplexity", f"{paper('full', 0)} → {paper('tova')}",
         f"{small('full')} → {small('tova')}, cost {cost('tova')} % (over 40 books), {weights['trained']}; "
         f"{real('full')} → {real('tova')}, cost {paired(by_book('tova', 'full'), 1)} % (over 20 books), {weights['real']}",
         "1", f"{perplexity}, {smollm2}"],
        ["TOVA beats window+4", f"{paper('tova')} against {paper('window+4')}",
         f"{MISS}cost {cost('tova')} against {cost('window+4')} % (over 40 books), {weights['trained']}",
         "1", perplexity],
        behind_tova("window+4"),
        beats("window+4"),
        ["TOVA beats H2O", f"{paper('tova')} against {paper('h2o head-wise')}",
         f"{MISS}cost {cost('tova')} against {cost('h2o head-wise')} % (over 40 books), {weights['trained']}",
         "1", perplexity],
        behind_tova("h2o head-wise"),
        beats("h2o head-wise"),
        ["a window without the first tokens breaks down", paper("window"),
         f"{NOT_SEEN}{small('window')} beside {small('full')} of the full cache, {weights['trained']}", "1", perplexity],
        ["the same", paper("window"), f"{real('window')} beside {real('full')}, cost {paired(by_book('window', 'full'), 1)} % (over 20 books), "
         f"{weights['real']}", "1", smollm2],
        ["layer-wise (heads together) is better than head-wise", f"{paper('tova')} against {paper('tova head-wise')}",
         f"{small('tova')} against {small('tova head-wise')}, cost {cost('tova')} against {cost('tova head-wise')} % (over 40 books), "
         f"{weights['trained']}; H2O goes the other way, {cost('h2o layer-wise')} against {cost('h2o head-wise')} %", "1", perplexity],
        behind_tova("tova head-wise"),
        ["70,000 tokens can be read with k = 512", "yes",
         f"{NOT_SEEN}TOVA {beyond('tova')} beside the window's {beyond('window')} (26 books), context 1,024", "1",
         _link("pg19_long_small.csv")],
        [f"the same, {weights['real']}", "yes",
         f"TOVA {of_a_book('tova cache.compress_gaps=true')} beside {of_a_book('full, chunks of 8,192')} of the full cache in chunks of "
         f"8,192, no worse at the end; window+4 {of_a_book('window+4 cache.compress_gaps=true')} (one book, no spread)", "1",
         _link("long_smollm2.csv")],
        ["73 to 76 % of the kept tokens are recent", "73 to 76 %",
         f"{outside}{shares} % at k = {sizes} (se over three chunks below 0.5 points), SmolLM2-135M", "1",
         _link("kept_tokens.csv")],
        ["QASPER loses at most a point of F1 at half the context", "at worst −1",
         at_most_a_point(files.row("qasper_small.csv", "tova, k = 2048"), "f1_difference_full", 78), "1", _link("qasper_small.csv")],
        ["SQuALITY loses at most a point at an eighth", "at worst −1",
         at_most_a_point(files.row("squality_small.csv", "tova, k = 512"), "rouge_geometric_mean_difference_full", 40),
         "1", _link("squality_small.csv")],
        ["decoding in a fixed memory is faster at an eighth", f"{fastest} ×",
         f"{missed(throughput, fastest)}{' and '.join(throughput)} × in {' and '.join(BY_SEED)} GiB (sd over 3 runs, paired; medians "
         f"{medians}), 2 CPU cores, SmolLM2-135M", "3",
         _link("throughput.csv")],
        *([f"the same, LLaMA-2-7B's geometry in {size} GiB", f"{fastest} ×",
           f"{missed([eighth(files, 'throughput_7b.csv', size)], fastest)}"
           f"{eighth(files, 'throughput_7b.csv', size)} × (1 run, no spread; {texts_that_fit(files, size)}), 2 CPU cores, random bf16 weights", "1",
           _link("throughput_7b.csv")] for size in ("16", "19")),
        ["the same, 8 layers × 512", f"{fastest} ×",
         missed(small_model.values(), fastest)
         + " and ".join(f"{times}{' ×' * (times != 'withdrawn')} in {size} GiB" for size, times in small_model.items())
         + " (3 runs), ± both sds as if independent, 2 CPU cores, random weights", "3",
         _link("throughput_small.csv")],
        ["decoding 16 texts is faster than with a full cache", "–",
         f"{number(decoding, 1)} × (1 run, no spread), one core, random weights", "1", _link("decoding.csv")],
    ]  # fmt: skip


def at_most_a_point(row, column, questions):
    """A difference to the full cache, and whether two of its errors leave out that more than a point is lost, or less."""
    difference, error = float(row[column]), float(row[f"{column}_se"])
    lost = difference + 2 * error < -1
    verdict = "" if lost else ": held, by two of its errors" if difference - 2 * error > -1 else ": open"
    return f"{MISS if lost else ''}{spread(row, column, 1)} (over {questions} questions, paired), SmolLM2-135M{verdict}"


def eighth(files, name, budget, times=None):
    """How many times the full cache's throughput in the same memory TOVA's is with an eighth of the context; ± of several
    runs is both caches' deviations together, as if they were independent, unless `times` says it otherwise."""
    rows = [files.row(name, f"{cache} memory_budget={budget}") for cache in ("tova, k = 1/8", "full")]
    times = times or spread(rows[0], "tokens_per_second_2_threads_speedup_full", 1)
    return unless_impossible(times, *(row["bound_share_2_threads"] for row in rows))


def eighth_by_seed(files, budget):
    """The same of throughput.csv, each seed's ratio by itself: mean ± standard deviation over the seeds."""
    return eighth(files, "throughput.csv", budget, files.note(f"throughput.{BY_SEED[budget]}.by_seed"))


def texts_that_fit(files, budget):
    """Of throughput_7b.csv, which the ratio hangs on: a budget of one and a half full caches holds one."""
    eighth_of, full, paper = (
        number(files.row("throughput_7b.csv", f"{cache} memory_budget={budget}")[column], 0)
        for cache, column in (("tova, k = 1/8", "batch"), ("full", "batch"), ("tova, k = 1/8", "published_batch"))
    )
    published = number(files.row("throughput_7b.csv", f"full memory_budget={budget}")["published_batch"], 0)
    return f"{eighth_of} texts against {full}, the paper's {paper} against {published}"


def _link(name):
    return link(name, "reference")


TABLES = {"claims_luna": luna, "claims_tova": tova}
