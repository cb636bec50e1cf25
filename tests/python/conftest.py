"""Records for the tests of the report and the plots, written with h5py after the schema in results/README.md."""

import h5py
import numpy as np
import pytest

CONFIG = """\
task: classify
seed: {seed}
limit: 0
data:
  type: imdb
  validation_fraction: 0.1
  test_examples: 2000
encoding:
  max_length: 1024
  cls: true
  eos: true
batching: {{batch_size: 32, bucket: 20}}
model:
  encoder:
    dim: 64
    layers: 2
    heads: 4
    ffn_dim: 128
    attention: {{type: luna, projection_length: 16, tie_kv: false}}
train:
  updates: 900
  learning_rate: 0.002
  optimizer: {{type: adamw, beta2: 0.98}}
  schedule: {{type: linear, warmup: 100}}
  precision: fp32
  evaluate_with: best
"""


def write_table(file, path, meaning, rows_written=None, **columns):
    """columns: name=(values, unit, long name); the first is the dimension scale."""
    group = file.create_group(path, track_order=True)
    group.attrs["long_name"] = meaning
    scale = None
    for name, (values, unit, long_name) in columns.items():
        text = len(values) > 0 and isinstance(values[0], str)
        data = np.asarray(values, dtype=h5py.string_dtype() if text else None)
        dataset = group.create_dataset(name, data=data, maxshape=(None,), chunks=(1024,))
        dataset.attrs["units"], dataset.attrs["long_name"] = unit, long_name
        if scale is None:
            scale = dataset
            scale.make_scale(name)
        else:
            dataset.dims[0].attach_scale(scale)
        rows = len(values)
    group.attrs["rows_written"] = np.int64(rows if rows_written is None else rows_written)


def write_figure(file, name, value, unit="1", meaning="", n=1, error=float("nan"), better="neither"):
    dataset = file.require_group("summary").create_dataset(name, data=float(value))
    for key, held in dict(units=unit, long_name=meaning or name, n=n, standard_error=error, better=better).items():
        dataset.attrs[key] = held


def write_attributes(file, folder, **attributes):
    held = dict(
        schema_version=np.int64(1),
        status="done",
        error="",
        experiment=folder.parent.name,
        run_id=folder.name,
        case="",
        description="Luna on movie reviews, byte by byte",
        argv="attnlab run experiments/quickstart.yaml",
        config=CONFIG.format(seed=attributes.get("seed", 1)),
        seed=1,
        limit=0,
        started="2026-01-02T03:04:05+00:00",
        finished="2026-01-02T03:09:05+00:00",
        seconds=300.0,
        git_commit="0123456789abcdef",
        git_dirty="true",
        host="testhost",
        cpu="Test CPU at 3 GHz",
        memory=np.int64(8 << 30),
        gpu="",
        threads=2,
        version_attnlab="0.1.0",
        version_torch="2.11.0",
        data_checksum="sha256:c40f74a1",
        model_checksum="8852bd67",
        cpu_clock=2596.124,
    )
    for name, value in {**held, **attributes}.items():
        file.attrs[name] = value


def write_training(file, updates, rng, rows_written=None):
    step = np.arange(10, updates + 1, 10)
    loss = 0.62 + 0.08 * np.exp(-step / 200) + rng.normal(0, 0.02, len(step))
    write_table(
        file,
        "/train",
        "one row a logging interval",
        rows_written,
        step=(step, "1", "updates done"),
        loss=(loss, "nat", "training loss, mean over the interval"),
        learning_rate=(np.full(len(step), 2e-3), "1", "learning rate"),
        tokens_per_second=(rng.normal(90e3, 4e3, len(step)), "token/s", "tokens trained on a second"),
    )
    at = np.arange(100, updates + 1, 100)
    write_table(
        file,
        "/eval/validation_curve",
        "one row a validation",
        step=(at, "1", "updates done"),
        value=(0.65 - 0.1 * np.exp(-at / 300) + rng.normal(0, 0.004, len(at)), "1", "selection metric"),
        standard_error=(np.full(len(at), 0.0095), "1", "standard error"),
        loss=(0.63 + 0.05 * np.exp(-at / 300), "nat", "mean loss on the validation split"),
    )


def write_test_split(file, rng, n=2000):
    length = np.clip(rng.lognormal(6.6, 0.5, n).astype(np.int64), 60, 1024)
    write_table(
        file,
        "/eval/test",
        "every example of test",
        example=(np.arange(n), "1", "index in the split"),
        id=([f"test/pos/{i}_7.txt" for i in range(n)], "1", "the publisher's name"),
        length=(length, "token", "tokens read"),
        correct=((rng.random(n) < 0.64).astype(np.int64), "1", "1 where predicted = label"),
    )


def classification(folder, accuracy=0.6425, floor=0.6375, updates=900, **attributes):
    """A finished classification run, as attnlab leaves it."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(7)
    with h5py.File(folder / "run.h5", "w") as file:
        write_attributes(file, folder, **attributes)
        write_training(file, updates, rng)
        write_test_split(file, rng)
        for name, value in (("accuracy", accuracy), ("accuracy_byte_counts", floor), ("accuracy_majority", 0.5)):
            write_figure(file, name, value, n=2000, error=np.sqrt(value * (1 - value) / 2000), better="higher")
        write_figure(file, "accuracy_above_byte_counts", accuracy - floor, n=2000, error=0.0121, better="higher")
        write_figure(file, "accuracy_validation", 0.651, n=2500, error=0.0095, better="higher")
        write_figure(file, "parameters", 123456, meaning="trained numbers")
        write_figure(file, "best_update", 800, meaning="update with the best validation accuracy")
        write_figure(file, "training_seconds", 221.4, "s", "time of training", better="lower")
        write_figure(file, "resident_peak", 412 << 20, "byte", "most memory resident in the process")
        write_figure(file, "harness_share", 0.012, meaning="share of the steps' time in data, logging and record")
    return folder / "run.h5"


LANGUAGE_MODEL = """\
task: train_lm
model: {dim: 192, ffn_dim: 512, layers: 6, heads: 6, kv_heads: 3}
data: {type: pg19, split: train}
documents: 200
tokenizer: {path: "", vocabulary: 4096}
context: 1024
batch_size: 4
train: {updates: 900, learning_rate: 0.002, optimizer: {type: adamw}, schedule: {type: cosine}, precision: fp32,
  evaluate_with: best}
"""


def language_model(folder, config=LANGUAGE_MODEL):
    """A finished training of a language model; the curve's values, accuracies elsewhere, stand for perplexities."""
    folder.mkdir(parents=True)
    with h5py.File(folder / "run.h5", "w") as file:
        write_attributes(file, folder, config=config)
        write_training(file, 900, np.random.default_rng(7))
        write_figure(file, "checkpoint_seconds", 1.5, "s", "time of writing all checkpoints", better="lower")
        held_out = "per token, on documents held out of training"
        write_figure(file, "perplexity_validation", 43.21, "1", held_out, 65536, 1.25, "lower")
    return folder / "run.h5"


def unfinished(folder, status, error, rows_written=20, **attributes):
    """A run that did not reach its evaluation; the last ten rows of /train were written but are not to be trusted."""
    folder.mkdir(parents=True)
    with h5py.File(folder / "run.h5", "w") as file:
        write_attributes(file, folder, status=status, error=error, **attributes)
        del file.attrs["finished"]
        file.create_group("summary")
        write_training(file, 300, np.random.default_rng(7), rows_written)
    return folder / "run.h5"


def step_speed(folder):
    """A comparison of training steps, with /speed, /memory and /ratios."""
    folder.mkdir(parents=True)
    seconds = {"textbook": 4.9, "fused": 2.8, "luna-16": 0.61, "luna-256": 0.88}
    mebibytes = {"textbook": 1843, "fused": 277, "luna-16": 128, "luna-256": 240}
    rng = np.random.default_rng(7)
    rows = [(r, m, t) for t in (1, 2) for r in range(5) for m in seconds]
    took = [seconds[m] / t**0.9 * rng.uniform(0.97, 1.1) for _, m, t in rows]
    both = [(m, t) for t in (1, 2) for m in seconds]
    with h5py.File(folder / "run.h5", "w") as file:
        write_attributes(file, folder, config="task: step_speed\nlengths: [4096]\nvocabulary: 261\n", description="")
        write_table(
            file,
            "/speed",
            "training steps, in the order in which they ran",
            repetition=([r for r, _, _ in rows], "1", "round"),
            model=([m for _, m, _ in rows], "1", "model"),
            n=([4096] * len(rows), "token", "length"),
            batch=([1] * len(rows), "1", "sequences"),
            dropout=([0.0] * len(rows), "1", "dropout"),
            threads=([t for _, _, t in rows], "1", "threads"),
            seconds=(took, "s", "forward, backward and optimiser"),
        )
        write_table(
            file,
            "/memory",
            "memory of one step above parameters, gradients and optimiser state",
            model=([m for m, _ in both], "1", "model"),
            n=([4096] * len(both), "token", "length"),
            threads=([t for _, t in both], "1", "threads"),
            allocator_peak=([mebibytes[m] << 20 for m, _ in both], "byte", "most bytes held by tensors"),
            resident_peak=([-1] * len(both), "byte", "most pages resident; -1 where the kernel cannot say"),
        )
        write_table(
            file,
            "/ratios",
            "medians, and what they are to the Transformers of the same cell",
            model=([m for m, _ in both], "1", "model"),
            n=([4096] * len(both), "token", "length"),
            threads=([t for _, t in both], "1", "threads"),
            seconds=([seconds[m] / t**0.9 for m, t in both], "s", "median of the repetitions"),
            flop_rate=([2e11 * t for _, t in both], "FLOP/s", "matrix products of the step / seconds"),
            times_textbook=([4.9 / seconds[m] for m, _ in both], "1", "speed over the textbook Transformer's"),
        )
        write_figure(file, "product_rate", 2.5e11, "FLOP/s", "the machine's fp32 matrix-product rate, median", n=5)
    return folder / "run.h5"


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """A results root with three experiments: one run, a sweep with failures, a comparison of speeds."""
    root = tmp_path_factory.mktemp("results")
    classification(root / "quickstart" / "aaaa1111")
    sweep = root / "luna_text"
    for seed, accuracy in ((1, 0.652), (2, 0.661), (3, 0.655)):
        classification(sweep / f"luna{seed}", accuracy, case=f"attention=luna seed={seed}", seed=seed)
    classification(sweep / "soft1", 0.585, case="attention=softmax seed=1")
    unfinished(sweep / "diverged1", "diverged", "the loss is NaN at update 217", case="attention=softmax seed=2")
    unfinished(sweep / "killed1", "running", "", case="attention=softmax seed=3")
    (sweep / "foreign1").mkdir()
    (sweep / "foreign1" / "run.h5").write_text("step,loss\n1,0.5\n")
    step_speed(root / "luna_speed" / "bbbb2222")
    return root
