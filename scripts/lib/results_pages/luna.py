"""The tables of results/luna.md: each a function that gives a heading and rows."""

from .claims import DEPARTS, paired_in_small
from .files import as_published, link, mebibytes, middle, number, over_rounds, paired, spread, unless_impossible

LENGTHS = (1024, 2048, 3072, 4096, 8192)
STEP_MODELS = {
    "textbook": "textbook Transformer",
    "textbook+torch-dropout": "the same, Torch's dropout",
    "fused": "fused Transformer (SDPA)",
    "fused+residual-dropout": "the same, dropout on residual branches alone",
    "luna-16": "Luna-16",
    "luna-16+recompute": "Luna-16, recompute",
    "luna-256": "Luna-256",
}
RESIDUAL = "Transformer (fused, dropout on residual branches alone)"
# By dropout, the fused Transformer that a user would choose on a CPU, and the ratio to it: with dropout in its weights it is a slow
# path of Torch's there.
FUSED = {"0.0": ("fused", "times_fused"), "0.3": ("fused+residual-dropout", "times_fused_residual")}


def step_speed(files):
    def row(model, threads, dropout):
        return files.row("step_speed.csv", model, threads=threads, dropout=dropout)

    def cell(model, threads, dropout):
        held = row(model, threads, dropout)
        text = middle(held, "seconds", 2) + " s"
        if model.startswith("luna"):
            fused, times = FUSED[dropout]
            shares = [row(m, threads, dropout)["product_share"] for m in (model, "textbook", fused)]
            ratios = f"{middle(held, 'times_textbook', 1)} × textbook, {middle(held, times, 1)} × fused"
            text += ": " + unless_impossible(ratios, *shares)
        return text

    def peaks(model):
        pairs = [row(model, 1, dropout) for dropout in ("0.0", "0.3")]
        return " / ".join(f"{mebibytes(p['allocator_peak'])} ({mebibytes(p['resident_peak'])})" for p in pairs)

    settings = [(threads, dropout) for threads in (1, 2) for dropout in ("0.0", "0.3")]
    dropouts = {"0.0": "no dropout", "0.3": "dropout 0.3"}
    heading = ["model", *(f"{t} thread{'s' * (t > 1)}, {dropouts[d]}" for t, d in settings)]
    heading.append("allocator peak (resident), no dropout / 0.3, MiB")
    return heading, [[name, *(cell(model, *s) for s in settings), peaks(model)] for model, name in STEP_MODELS.items()]


def step_shares(files):
    """Without dropout, one thread and two: where the advantage comes from."""
    rows = []
    for model, name in STEP_MODELS.items():
        held = [files.row("step_speed.csv", model, threads=t, dropout="0.0") for t in (1, 2)]
        textbook = files.row("step_speed.csv", "textbook", threads=1, dropout="0.0")
        work = float(textbook["flop_rate"]) * float(textbook["seconds"])
        ratio = work / (float(held[0]["flop_rate"]) * float(held[0]["seconds"]))
        machine = [float(r["product_rate"]) / 1e9 for r in held]
        gain = float(held[0]["flop_rate"]) / float(textbook["flop_rate"])
        shares = " / ".join(number(100 * float(r["product_share"]), 0) for r in held)
        rows.append([name, number(ratio, 1), number(gain, 1), number(held[0]["times_textbook"], 1), shares,
                     " / ".join(number(m, 0) for m in machine)])  # fmt: skip
    return ["model", "operations: textbook's / its own", "rate: its own / textbook's", "product of the two: × textbook",
            "share of the machine's rate of matrix products, 1 / 2 threads, %", "that rate, GFLOP/s"], rows  # fmt: skip


def recipe(files):
    row = files.row("recipe_lra_luna.csv", "model.encoder.attention.projection_length=16")
    published = row["published_accuracy"].split()[0]

    def percent(column):  # the accuracy is recorded in per cent, the others as fractions
        return spread(row, column, 2, 1 if float(row[column]) > 1 else 100)

    return ["", "accuracy, % ± standard error over examples"], [
        ["Luna-16 here, update selected on 2,500 held-out training reviews", percent("accuracy")],
        ["Luna-16 here, update selected on test (80 looks)", percent("accuracy_selected_on_test")],
        ["Luna-16 published, probably selected on test", published],
        ["floor: logistic regression on byte counts, same bytes", percent("accuracy_byte_counts")],
        ["floor: majority class", number(100 * float(row["accuracy_majority"]), 2)],
    ]


def byte_order(files):
    """Accuracy as it is and with bytes shuffled, in per cent."""
    beside = {row["case"]: row for row in files.rows("byte_order_paired.csv") if row["figure"] == "accuracy"}
    figures = ("", "_shuffled_words", "_shuffled_text", "_lost_words", "_lost_text", "_above_byte_counts")

    def of_model(name, row, less=""):
        return [name, *(spread(row, f"accuracy{figure}", 2, 100) for figure in figures), less]

    rows = []
    for row in files.rows("byte_order.csv"):
        if row["kind"] == "ours":
            held = beside.get(row["label"])
            rows.append(of_model(row["label"], row, paired(held, 2) if held else ""))
        elif row["kind"] == "floor":
            rows.append([f"floor: {row['label'] or row['case']}", number(100 * float(row["accuracy"]), 2), *[""] * 6])
    quickstart = next(iter(files.ours("byte_order_quickstart.csv")))
    rows.append(of_model("the quickstart's Luna-16, 1,024 bytes, one seed; ± se over 2,000 reviews", quickstart))
    return ["model", "accuracy, % ± sd over 3 seeds", "bytes of each word shuffled", "all bytes shuffled", "lost within words",
            "lost over the text", "less the floor of byte counts", "less the Transformer ± se over reviews"], rows  # fmt: skip


def byte_order_mcnemar(files):
    """McNemar's test of every run against the floor and against the Transformer of its seed, on the same reviews."""
    held = {}
    for row in files.rows("byte_order_mcnemar.csv"):
        verdict = f"{row['higher']} / {row['lower']}, p = {row['p']}"
        held.setdefault((row["label"], row["against"]), []).append(verdict)
    seeds = len(next(iter(held.values())))
    return ["model", "against", *(f"right alone / wrong alone, p; seed {s + 1}" for s in range(seeds))], [
        [*names, *verdicts] for names, verdicts in held.items()
    ]


def _by_length(files):
    """{model: [its rows, by length]}"""
    models = dict.fromkeys(row["label"] for row in files.ours("speed_memory.csv"))
    return {m: [files.row("speed_memory.csv", f"{m} length={n}") for n in LENGTHS] for m in models}


def _speedup(files, row, name):
    """How many times as fast as the reference at the same length a training step is; near 1 to two digits."""
    models = {"textbook": "Transformer (textbook)", "fused_residual": RESIDUAL}
    beside = files.row("speed_memory.csv", f"{models[name]} length={row['length']}")
    shares = [held["train_product_share"] for held in (row, beside)]
    column = f"train_seconds_speedup_{name}"
    return unless_impossible(middle(row, column, 2 if float(over_rounds(row, column)) < 2 else 1), *shares)


def _doubling(rows, column):
    held = {int(row["length"]): over_rounds(row, column) for row in rows}
    pairs = [(held[2 * n], held[n]) for n in (2048, 4096)]
    return ", ".join(number(float(a) / float(b), 2) if a and b else "–" for a, b in pairs)


def _lengths(rows, column, form):
    return " / ".join(form(over_rounds(row, column)) for row in rows)


def training_by_length(files):
    rows = []
    for model, held in _by_length(files).items():
        at = held[LENGTHS.index(4096)]
        paper = at["published_train_seconds_speedup_textbook"]
        share = number(100 * float(over_rounds(at, "train_seconds_speedup_textbook")) / float(paper), 0) if paper else "–"
        rows.append([model, _lengths(held, "train_seconds", lambda s: number(s, 2)), _doubling(held, "train_seconds"),
                     _speedup(files, at, "textbook"), as_published(paper, 1), share, _speedup(files, at, "fused_residual")])  # fmt: skip
    return ["model", "training step at 1,024 / 2,048 / 3,072 / 4,096 / 8,192, s", "× from 2,048 to 4,096, to 8,192",
            "× textbook at 4,096, ours", "paper", "ours / paper, %", "× fused, dropout on residual branches alone, at 4,096"], rows  # fmt: skip


def memory_by_length(files):
    rows = []
    for model, held in _by_length(files).items():
        at = held[LENGTHS.index(4096)]
        paper = at["published_train_allocator_peak_fraction_textbook"]
        rows.append([model, _lengths(held, "train_allocator_peak", mebibytes), _doubling(held, "train_allocator_peak"),
                     number(at["train_allocator_peak_fraction_textbook"], 2), as_published(paper, 2),
                     _lengths(held, "infer_seconds", lambda s: number(s, 2)),
                     _doubling(held, "infer_seconds")])  # fmt: skip
    return ["model", "allocator peak of a training step, MiB", "× a doubling", "of textbook's at 4,096, ours", "paper",
            "inference, s", "× a doubling"], rows  # fmt: skip


def quickstart(files):
    """The README's; no record of the run was kept."""
    def minutes(name):
        return number(float(files.note(name)) / 60, 1)

    return ["quickstart in all, minutes", "of which training", "small Luna on 2,000 test reviews, accuracy, %",
            "logistic regression on byte counts, %"], [
        [minutes("quickstart.seconds"), minutes("quickstart.training_seconds"), files.note("quickstart.accuracy"),
         files.note("quickstart.accuracy_byte_counts")],
    ]  # fmt: skip


def claims(files):
    """The README's table."""
    trained = files.row("recipe_lra_luna.csv", "model.encoder.attention.projection_length=16")
    small = {row["case"]: row for row in files.rows("lra_text_small.csv") if row["kind"] != "published"}
    at = {m: rows[LENGTHS.index(4096)] for m, rows in _by_length(files).items()}
    lunas = ("Luna-16", "Luna-128", "Luna-256")

    def published(name):
        return number(small[name]["published_accuracy"], 2)

    def each(column, digits):
        return " / ".join(number(over_rounds(at[m], column), digits) for m in lunas)

    doubling = "; ".join(f"{m} {_doubling(_by_length(files)[m], 'train_seconds')}" for m in ("Luna-16", "Luna-256"))
    floor = spread(trained, "accuracy_byte_counts", 2, 100)
    small_floor = number(small["logistic regression on byte counts"]["accuracy"], 2)
    speed = link("speed_memory.csv")
    return ["claim", "paper", "ours", "runs", "file"], [
        ["Luna-16 on LRA byte-level text, accuracy",
         f"{published('Luna-16')} %",
         f"{spread(trained, 'accuracy', 2)} % (± over examples; bf16, 22,500 reviews, {DEPARTS}); **floor of byte counts {floor} %**",
         "1 seed, one H100", link("recipe_lra_luna.csv")],
        ["Luna-16 is as good as the Transformer",
         f"{published('Luna-16')} against {published('Transformer')} %",
         f"{paired_in_small(files)}; **both are below the floor, {small_floor} %**",
         "3 seeds", f"{link('byte_order.csv')}, {link('byte_order_paired.csv')}"],
        ["a training step at 4,096 tokens is faster than the Transformer's, Luna-16 / 128 / 256",
         f"{each('published_train_seconds_speedup_textbook', 1)} ×",
         f"{each('train_seconds_speedup_textbook', 1)} × (medians): **128 and 256 miss**; than fused attention without dropout in "
         f"its weights {each('train_seconds_speedup_fused_residual', 1)} ×",
         f"{at['Luna-16']['runs_done']} rounds, 2 CPU cores", speed],
        ["and needs a fraction of its memory",
         each("published_train_allocator_peak_fraction_textbook", 2),
         f"{each('train_allocator_peak_fraction_textbook', 2)}; **of that fused one's "
         f"{each('train_allocator_peak_fraction_fused_residual', 1)}**",
         "the same", speed],
        ["time is linear in length",
         "2 × a doubling",
         f"{doubling} × (2,048 to 4,096, to 8,192)",
         "the same", speed],
    ]  # fmt: skip


TABLES = {f.__name__: f for f in (step_speed, step_shares, recipe, byte_order, byte_order_mcnemar, training_by_length,
                                  memory_by_length, quickstart)}  # fmt: skip
TABLES["luna_claims"] = claims
