"""Records of whole sweeps for the tests of the report: accuracies, accuracy by length, speed and memory by length,
perplexity by policy and size of the cache, written with h5py after the schema in results/README.md."""

import json

import conftest
import h5py
import numpy as np

PUBLISHED = {
    "Transformer": (65.21, "softmax", 0),
    "Luna-16": (65.74, "luna", 16),
    "Luna-128": (65.74, "luna", 128),
    "Luna-256": (65.78, "luna", 256),
    "Reformer": (56.10, "", 0),
    "BigBird": (64.02, "", 0),
}
CONFIG = """\
task: classify
seed: {seed}
data: {{type: imdb, validation_fraction: 0.1}}
encoding: {{max_length: {length}, cls: true, eos: true}}
batching: {{batch_size: 32}}
model:
  encoder: {{dim: 256, layers: 4, heads: 4, ffn_dim: 1024, dropout: 0.3, attention_dropout: 0.3, attention: {attention}}}
train: {{updates: 20000, learning_rate: 5.0e-05, optimizer: {{type: adamw}}, schedule: {{type: inverse_sqrt}},
  precision: fp32, evaluate_with: best}}
"""
# label: (type, projection length, accuracy)
MODELS = {
    "Transformer": ("softmax", 0, 0.6510),
    "Luna-16": ("luna", 16, 0.6551),
    "Luna-128": ("luna", 128, 0.6570),
    "Luna-256": ("luna", 256, 0.6590),
    "Linformer": ("linformer", 256, 0.5610),
    "Linear Transformer": ("linear", 0, 0.6530),
    "Local attention": ("local", 0, 0.5320),
    "Performer": ("performer", 0, 0.6480),
    "Synthesizer": ("synthesizer", 0, 0.6170),
}
FLOOR = 0.6526
DIVERGED = "the loss is NaN at update 600. The gradient of classifier.weight was the first."


def attention_text(kind, projection):
    return f"{{type: {kind}, projection_length: {projection}}}" if projection else f"{{type: {kind}}}"


def published(label):
    kind, projection, _ = MODELS[label]
    rows = [
        {"name": name, "figures": {"accuracy": value}, "this_case": (kind, projection) == (row_kind, row_projection)}
        for name, (value, row_kind, row_projection) in PUBLISHED.items()
    ]
    return json.dumps({"source": "Ma et al. 2021, table 2", "unit": "%", "metrics": ["accuracy"], "rows": rows})


def write_floors(file, floor, n):
    for name, value, row in (
        ("accuracy_byte_counts", floor, "logistic regression on byte counts"),
        ("accuracy_majority", 0.5, "majority class"),
    ):
        conftest.write_figure(file, name, value, n=n, error=np.sqrt(value * (1 - value) / n))
        attributes = file[f"summary/{name}"].attrs
        attributes["floor_of"], attributes["row"] = "accuracy", row


def classification(folder, label, seed, length=4002, row=None, accuracy=None, floor=FLOOR, status="done", error=""):
    """One run of an accuracy sweep, with a curve, its figures and floors, and the label of its row."""
    kind, projection, usual = MODELS[label]
    accuracy = usual if accuracy is None else accuracy
    folder.mkdir(parents=True)
    rng = np.random.default_rng([seed, projection, len(label), length])
    with h5py.File(folder / "run.h5", "w") as file:
        config = CONFIG.format(seed=seed, length=length, attention=attention_text(kind, projection))
        row = row or label
        conftest.write_attributes(
            file, folder, label=row, case=f"{row} seed={seed}", seed=seed, config=config, status=status, error=error,
            published=published(label), compare="", description="byte-level text, the published recipe",
        )  # fmt: skip
        file.require_group("summary")
        updates = 600 if status != "done" else 2000
        conftest.write_training(file, updates, rng)
        at = np.arange(100, updates + 1, 100)
        file["eval/validation_curve/value"][...] = (
            accuracy - 0.12 * np.exp(-at / 350) + rng.normal(0, 0.006, len(at)) + 0.004 * rng.normal()
        )
        if status == "done":
            conftest.write_figure(
                file, "accuracy", accuracy, n=25000, error=np.sqrt(accuracy * (1 - accuracy) / 25000), better="higher"
            )
            if label != "Local attention":  # as in records older than the figure
                above = {"n": 25000, "error": 0.003, "better": "higher"}
                conftest.write_figure(file, "accuracy_above_byte_counts", accuracy - floor, **above)
            conftest.write_figure(file, "parameters", 5312768)
            conftest.write_figure(file, "training_seconds", 1171.7, "s", better="lower")
            write_floors(file, floor, 25000)
    return folder / "run.h5"


def accuracy_sweep(folder):
    """Nine models, three seeds; Luna's accuracies lie 0.2 points apart. A Synthesizer diverged and one was killed; of
    Performer's third seed there is no record."""
    for label in MODELS:
        for seed in (1, 2, 3):
            if (label, seed) == ("Performer", 3):
                continue
            name = f"{label.replace(' ', '')}{seed}"
            if label == "Synthesizer" and seed > 1:
                status, error = ("diverged", DIVERGED) if seed == 2 else ("running", "")
                classification(folder / name, label, seed, status=status, error=error)
            else:
                classification(folder / name, label, seed, accuracy=MODELS[label][2] + 0.002 * (seed - 2))


def length_sweep(folder, lengths=(1024, 2048, 3072, 4096)):
    """Three models by the bytes that they read, one seed each: a point lost for each 1,024 bytes below 4,096, and 0.8
    points by the floor."""
    for label in ("Transformer", "Luna-16", "Luna-256"):
        for length in lengths:
            short_of = (4096 - length) / 1024
            classification(
                folder / f"{label}{length}", label, 1, length, f"{label} encoding.max_length={length}",
                MODELS[label][2] - 0.01 * short_of, FLOOR - 0.008 * short_of,
            )  # fmt: skip


SPEED_CONFIG = """\
task: speed
seed: 1
length: {length}
batch_size: 1
precision: fp32
repetitions: 5
warm_up: 2
model:
  encoder: {{dim: 256, layers: 4, heads: 4, ffn_dim: 1024, dropout: 0.3, attention: {{type: {kind}}}}}
"""
COMPARE = {
    "to": {"textbook": "Transformer (textbook)", "fused": "Transformer (fused)"},
    "speedup": ["train_seconds", "infer_seconds"],
    "fraction": ["train_allocator_peak", "infer_allocator_peak"],
}
# label: type, seconds and MiB a thousand tokens, and the same a thousand tokens squared
SPEEDS = {
    "Transformer (textbook)": ("softmax", 0.12, 0.24, 60, 140),
    "Transformer (fused)": ("softmax", 0.12, 0.20, 45, 0.5),
    "Luna-16": ("luna", 0.175, 0, 30, 0),
    "Luna-128": ("luna", 0.24, 0, 48, 0),
    "Luna-256": ("luna", 0.33, 0, 76, 0),
    "Linformer": ("linformer", 0.26, 0, 66, 0),
    "Linear Transformer": ("linear", 0.21, 0, 52, 0),
    "Local attention": ("local", 0.23, 0, 58, 0),
    "Performer": ("performer", 0.36, 0, 90, 0),
    "Synthesizer": ("synthesizer", 0.10, 0.19, 55, 120),
}


def cell(folder, label, length, status="done", error=""):
    """One cell of the speed sweep: train_seconds = a·k + b·k² at k thousand tokens; inference takes a third."""
    kind, a, b, c, d = SPEEDS[label]
    k = length / 1000
    folder.mkdir(parents=True)
    rows = [
        {"name": "Luna-16, 4K", "figures": {"train_seconds_speedup_textbook": 5.5},
         "this_case": (label, length) == ("Luna-16", 4096)},
        {"name": "Reformer, 4K", "figures": {"train_seconds_speedup_textbook": 0.79}, "this_case": False},
    ]  # fmt: skip
    said = {"source": "Ma et al. 2021", "unit": "", "metrics": ["train_seconds_speedup_textbook"], "rows": rows}
    with h5py.File(folder / "run.h5", "w") as file:
        row = f"{label} length={length}"
        conftest.write_attributes(
            file, folder, label=row, case=row, config=SPEED_CONFIG.format(length=length, kind=kind), status=status,
            error=error, published=json.dumps(said), compare=json.dumps(COMPARE),
            description="time and memory of a step",
        )  # fmt: skip
        file.require_group("summary")
        if status != "done":
            return
        write_repetitions(file, (a * k + b * k * k))
        for phase, share in (("train", 1.0), ("infer", 1 / 3)):
            seconds, peak = share * (a * k + b * k * k), share * (c * k + d * k * k) * 2**20
            conftest.write_figure(file, f"{phase}_seconds", seconds, "s", n=5, better="lower")
            conftest.write_figure(file, f"{phase}_tokens_per_second", length / seconds, "token/s", better="higher")
            conftest.write_figure(file, f"{phase}_flop_rate", 8e10, "FLOP/s", better="higher")
            conftest.write_figure(file, f"{phase}_product_share", 0.83, better="higher")
            conftest.write_figure(file, f"{phase}_allocator_peak", peak, "byte", better="lower")
            conftest.write_figure(file, f"{phase}_resident_peak", 1.2 * peak, "byte", better="lower")


def write_repetitions(file, median):
    """Five training steps and five inferences, which take a third, from 0.95 to 1.2 of their median."""
    rows = [(phase, share * median * f) for phase, share in (("train", 1), ("infer", 1 / 3))
            for f in (0.95, 0.98, 1, 1.1, 1.2)]  # fmt: skip
    conftest.write_table(
        file,
        "/speed",
        "timed steps",
        repetition=(list(range(5)) * 2, "1", "repetition"),
        phase=([phase for phase, _ in rows], "1", "train or infer"),
        seconds=([seconds for _, seconds in rows], "s", "time of a step"),
    )


def speed_sweep(folder, lengths=(1024, 2048, 3072, 4096, 8192)):
    """Ten models; the textbook Transformer does not fit at the greatest length."""
    for label in SPEEDS:
        for length in lengths:
            name = f"{label.replace(' ', '').replace('(', '').replace(')', '')}{length}"
            if label == "Transformer (textbook)" and length == 8192:
                cell(folder / name, label, length, "skipped", "needs about 12.1 GiB, 9.8 GiB are available")
            else:
                cell(folder / name, label, length)


PERPLEXITY_CONFIG = """\
task: perplexity
seed: 1
model: models/{model}
precision: saved
data: {{type: pg19, split: test}}
chunks: {{length: 4096, bos: chunk, last: keep, max_tokens: 65536, min_tokens: 0}}
cache: {{policy: {{type: {policy}}}, size: {size}, protect_first: {protect}, budget: uniform, only_layers: []}}
baseline: {baseline}
batch_size: 4
"""
FULL_LOSS = 1.9  # nat a token
# label: policy, protected, nat more than the full cache at k = 64, 256, 1024, published perplexities
CACHES = {
    "baseline": ("full", 0, (1.2, 0.75, 0.3), (17.65, 10.39, 8.04)),
    "window": ("window", 0, (2.5, 2.0, 1.2), (4812.27, 3275.58, 1001.29)),
    "tova+4": ("tova, heads: layer_wise", 4, (0.6, 0.3, 0.1), (9.63, 7.72, 7.25)),
}
EIGHTH = {"full": 0, "window": 0.8, "window+4": 0.09, "tova": 0.06}  # nat more than the full cache
SIZES = (64, 256, 1024)
BOOKS = 5


def cache_run(folder, label, size, more, published, row=None, model="small"):
    """One run: five books of 4,096 scored tokens, each 0.2 nat harder than the one before, with costs of the policy
    that are half a tenth of a nat apart; nothing is lost in the first quarter of a chunk."""
    policy, protect = CACHES[label][:2] if label in CACHES else ("full", 0)
    folder.mkdir(parents=True)
    books = np.arange(BOOKS) - BOOKS // 2
    tokens = np.full(BOOKS, 4096)
    nll = tokens * (FULL_LOSS + 0.2 * books + (more + 0.05 * books if more else 0))
    row = row or (label if label == "full" else f"{label} cache.size={size}")
    said = {"source": "Oren et al. 2024", "unit": "1", "metrics": ["perplexity"],
            "rows": [{"name": row, "figures": {"perplexity": published}, "this_case": True}]}  # fmt: skip
    with h5py.File(folder / "run.h5", "w") as file:
        conftest.write_attributes(
            file, folder, label=row, case=row, published=json.dumps(said), compare="", description="books",
            config=PERPLEXITY_CONFIG.format(
                policy=policy, size=size, protect=protect, model=model, baseline=str(label == "baseline").lower()),
        )  # fmt: skip
        conftest.write_table(
            file, "/eval/test", "every document",
            document=(np.arange(BOOKS), "1", "index in the set"),
            id=([str(100 + i) for i in range(BOOKS)], "1", "the publisher's name"),
            tokens=(tokens, "token", "tokens scored"),
            nll=(nll, "nat", "sum over the scored tokens"),
        )  # fmt: skip
        quarter = np.full(4, BOOKS * 1024)
        conftest.write_table(
            file, "/eval/position", "loss by position in the chunk",
            first=(1024 * np.arange(4), "token", "first position"),
            last=(1024 * np.arange(4) + 1023, "token", "last position"),
            tokens=(quarter, "token", "tokens scored"),
            nll=(quarter * (FULL_LOSS + more * np.array([0, 4, 4, 4]) / 3), "nat", "sum over them"),
        )  # fmt: skip
        pooled = np.exp(nll.sum() / tokens.sum())
        conftest.write_figure(file, "perplexity", pooled, n=BOOKS, error=0.3, better="lower")
        conftest.write_figure(file, "tokens_per_second", 900, "token/s", n=BOOKS, better="higher")
        conftest.write_figure(file, "cache_bytes", 2048 * size, "byte", n=1, better="lower")
        conftest.write_figure(file, "scored_tokens", tokens.sum(), "token", n=BOOKS)
    return folder / "run.h5"


def perplexity_sweep(folder):
    """Three kinds of cache at three sizes, and the full one."""
    cache_run(folder / "full", "full", 4096, 0, 7.16)
    for label, (_, _, costs, published_values) in CACHES.items():
        for size, more, said in zip(SIZES, costs, published_values):
            cache_run(folder / f"{label.replace('+', '')}{size}", label, size, more, said)


def state_sweep(folder):
    """The same beside two models that keep the bytes of so many states."""
    perplexity_sweep(folder)
    for length, more in ((16, 0.9), (64, 0.8)):
        cache_run(folder / f"luna{length}", f"Luna-{length}", length, more, 1, row=f"Luna-{length}", model=f"luna{length}")


def eighth_sweep(folder):
    """The full cache and three of an eighth of the text."""
    for label, more in EIGHTH.items():
        cache_run(folder / label, label, 2048 if label == "full" else 256, more, 1, row=label)


def measured(folder, row, config, figures, compare="", said=""):
    """One run of nothing but figures: {name: (value, unit, better)}. `said`: as its record has what is published."""
    folder.mkdir(parents=True)
    with h5py.File(folder / "run.h5", "w") as file:
        conftest.write_attributes(
            file, folder, label=row, case=row, config=config, description="measured",
            published=json.dumps(said) if said else "", compare=json.dumps(compare) if compare else "",
        )  # fmt: skip
        for name, (value, unit, better) in figures.items():
            conftest.write_figure(file, name, value, unit, better=better)


def causal_sweep(folder):
    """Causal Luna's scan at three lengths, which stand in the labels, beside forms that are not run at all of them."""
    for length, forms in ((256, ("chunks", "outer_products", "softmax")), (1024, ("chunks", "softmax")), (4096, ("chunks",))):
        figures = {}
        for threads in ("1_thread", "2_threads"):
            for at, form in enumerate(("scan", *forms)):
                figures[f"seconds_{form}_{threads}"] = ((at + 1) * length / 1e6, "s", "lower")
                figures[f"seconds_{form}_{threads}_first_quartile"] = (length / 1e6, "s", "neither")
                figures[f"extra_bytes_{form}"] = (length * 1024, "byte", "lower")
                if form != "scan":
                    figures[f"scan_speedup_{form}_{threads}"] = (at + 1, "1", "higher")
            figures[f"product_share_{threads}"] = (0.27, "1", "higher")
            figures[f"read_share_{threads}"] = (0.21, "1", "neither")
            figures[f"product_rate_{threads}"] = (1e11, "FLOP/s", "neither")
        for rows in (16, 128):
            measured(folder / f"{length}_{rows}", f"{length:,} tokens projection_length={rows}",
                     f"task: causal_speed\nseed: 1\nlength: {length}\nprojection_length: {rows}\n", figures)  # fmt: skip


def decode_sweep(folder):
    """A Transformer whose time grows with the square of a target's length, and Luna."""
    compare = {"to": {"transformer": "Transformer"}, "speedup": ["decode_seconds"], "fraction": ["decode_state_bytes"]}
    for label, exponent, state in (("Transformer", 2, 100), ("Luna-16", 1, 25)):
        for length in (128, 512):
            figures = {
                "decode_seconds": ((length / 128) ** exponent, "s", "lower"),
                "decode_state_bytes": (state * 2**20, "byte", "lower"),
                "decode_tokens_per_second": (500, "token/s", "higher"),
            }
            measured(folder / f"{label}{length}", f"{label} target_length={length}",
                     f"task: translation_speed\nseed: 1\ntarget_length: {length}\n", figures, compare)  # fmt: skip


def throughput_sweep(folder):
    """A full cache and one of an eighth, beside a paper's bytes and speedups; one of its rows is about no case."""
    compare = {"to": {"full": "full"}, "speedup": ["tokens_per_second"], "fraction": []}
    names = ("text_cache_bytes", "tokens_per_second_speedup_full")
    paper = {"full": (2.18e9, 1), "tova, k = 1/8": (2.8e8, 4.8), "k = 256": (1.5e8, 8.5)}
    for label, size, speed in (("full", 100, 10), ("tova, k = 1/8", 12.5, 55)):
        rows = [{"name": name, "figures": dict(zip(names, values)), "this_case": name == label}
                for name, values in paper.items()]  # fmt: skip
        figures = {"text_cache_bytes": (size * 2**20, "byte", "lower"), "tokens_per_second": (speed, "token/s", "higher")}
        measured(folder / label[:4], label, "task: long_generation\nseed: 1\n", figures, compare,
                 {"source": "Oren et al. 2024", "unit": "1", "metrics": list(names), "rows": rows})  # fmt: skip


def decoder_sweep(folder):
    """Language models that were trained at two lengths of context."""
    compare = {"to": {"transformer": "Transformer"}, "speedup": ["tokens_per_second"], "fraction": ["perplexity_validation"]}
    for label, perplexity, speed in (("Transformer", 200, 1000), ("Luna-16", 210, 2500)):
        for context in (512, 2048):
            figures = {
                "perplexity_validation": (perplexity, "1", "lower"),
                "tokens_per_second": (speed, "token/s", "higher"),
                "harness_share": (0.0001, "1", "lower"),
                **{f"{name}_seconds": (9, "s", "lower") for name in ("checkpoint", "training", "update", "validation")},
                **{f"{name}_peak": (2**30, "byte", "lower") for name in ("resident", "tensor")},
                "updates": (200, "1", "neither"),
            }
            measured(folder / f"{label}{context}", f"{label} context={context}",
                     f"task: train_lm\nseed: 1\ncontext: {context}\n", figures, compare)  # fmt: skip
