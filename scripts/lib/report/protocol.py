"""What was run, from the resolved configuration: the facts without which an accuracy cannot be read."""

from runs import describe


def facts(run):
    """(name, words) of what is known of the protocol."""
    rows = [
        ("Task", run.setting("task")),
        ("Data", data(run)),
        ("Length", length(run)),
        ("Vocabulary", vocabulary(run)),
        ("Model", model(run)),
        ("Attention", attention(run)),
        ("Parameters", parameters(run)),
        ("Training", training(run)),
        ("Batch", batch(run)),
        ("Precision", precision(run)),
        ("Repetitions", repetitions(run)),
        ("Selection", selection(run)),
        ("Selected", selected(run)),
        ("Evaluated on", evaluated(run)),
        ("Seed", run.attributes.get("seed")),
    ]
    return [(name, str(words)) for name, words in rows if words not in (None, "")]


def data(run):
    settings = run.setting("data")
    if not isinstance(settings, dict):
        return settings
    rest = ", ".join(f"{key} {describe(value)}" for key, value in settings.items() if key != "type")
    return f"{settings.get('type', '')}" + (f" ({rest})" if rest else "")


def length(run):
    if run.setting("lengths") is not None:
        return ", ".join(f"{n:,}" for n in run.setting("lengths")) + " tokens"
    if isinstance(run.setting("length"), int):
        return f"{run.setting('length'):,} tokens"
    most = run.setting("encoding.max_length")
    if most is None:
        return None
    marks = [mark for mark, key in (("<CLS>", "cls"), ("</s>", "eos")) if run.setting(f"encoding.{key}")]
    return (
        f"at most {most:,} tokens" + (f", {' and '.join(marks)} included" if marks else "") + "; longer texts are cut"
    )


def vocabulary(run):
    if "vocabulary" in run.attributes:
        return f"{int(run.attributes['vocabulary']):,} tokens"
    if run.setting("vocabulary") is not None:
        return f"{run.setting('vocabulary'):,} tokens"
    return "256 bytes and 5 special tokens" if run.setting("data.type") == "imdb" else None


def model(run):
    encoder = run.setting("model.encoder")
    if not isinstance(encoder, dict):
        return None
    words = f"{encoder.get('layers')} layers of width {encoder.get('dim')}, {encoder.get('heads')} heads, "
    words += f"feed-forward {encoder.get('ffn_dim')}"
    dropouts = [f"{words} {encoder[key]:g}" for key, words in DROPOUTS.items() if encoder.get(key)]
    return f"{words}, " + (", ".join(dropouts) if dropouts else "no dropout")


DROPOUTS = {
    "dropout": "dropout",
    "attention_dropout": "attention dropout",
    "activation_dropout": "activation dropout",
}


def attention(run):
    if run.setting("models"):
        return ", ".join(run.setting("models"))
    held = run.setting("model.encoder.attention")
    if not isinstance(held, dict):
        return held
    rest = ", ".join(f"{key} {describe(value)}" for key, value in held.items() if key != "type")
    return f"{held.get('type')}" + (f" ({rest})" if rest else "")


def parameters(run):
    return f"{run.figures['parameters'].value:,.0f}" if "parameters" in run.figures else None


def training(run):
    train = run.setting("train")
    if train == "none":
        return f"none: weights from {run.setting('init_from')}"
    if not isinstance(train, dict):
        return None
    optimizer, schedule = train.get("optimizer"), train.get("schedule")
    names = [x.get("type") if isinstance(x, dict) else x for x in (optimizer, schedule)]
    amount = f"{train.get('epochs'):g} epochs" if train.get("epochs") else f"{train.get('updates'):,} updates"
    return f"{amount}, {names[0]}, peak learning rate {train.get('learning_rate'):g}, schedule {names[1]}"


def batch(run):
    size = run.setting("batching.batch_size") or run.setting("batch_size")
    if not size:
        return None
    accumulated = run.setting("train.accumulate") or 1
    count = "1 example" if size * accumulated == 1 else f"{size * accumulated} examples"
    return count + (f" in {accumulated} parts" if accumulated > 1 else "")


def precision(run):
    return run.setting("train.precision") or run.setting("precision")


def repetitions(run):
    count = run.setting("repetitions")
    return f"{count} after {run.setting('warm_up', 0)} of warm-up" if count else None


def selection(run):
    chosen = run.setting("train.evaluate_with")
    if chosen is None:
        return None
    if chosen == "last":
        return "the last update; neither validation nor test was looked at"
    return "the update with the best accuracy on validation examples held out of train; test was not looked at"


def selected(run):
    return f"update {run.figures['best_update'].value:,.0f}" if "best_update" in run.figures else None


def evaluated(run):
    limit = int(run.attributes.get("limit", 0) or 0)
    if "accuracy" in run.figures:
        words = f"{run.figures['accuracy'].n:,} test examples"
        return words + (f": limited to the first {limit:,} of each split" if limit else "")
    return f"limited to the first {limit:,} examples of each split" if limit else None
