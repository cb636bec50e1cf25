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
        ("Training", training(run)),
        ("Selection", selection(run)),
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
    attention = encoder.get("attention")
    if isinstance(attention, dict):
        attention = (
            f"{attention.get('type')} ({', '.join(f'{k} {describe(v)}' for k, v in attention.items() if k != 'type')})"
        )
    parts = [
        f"{encoder.get('layers')} layers of width {encoder.get('dim')}, {encoder.get('heads')} heads, "
        f"feed-forward {encoder.get('ffn_dim')}",
        "attention: " + (", ".join(run.setting("models")) if run.setting("models") else str(attention)),
    ]
    if "parameters" in run.figures:
        parts.append(f"{run.figures['parameters'].value:,.0f} parameters")
    return "; ".join(parts)


def training(run):
    train = run.setting("train")
    if not isinstance(train, dict):
        return None
    if run.setting("evaluate_only"):
        return "none: weights from " + (str(run.setting("init_from")) or "the run's checkpoint")
    optimizer, schedule = train.get("optimizer"), train.get("schedule")
    names = [x.get("type") if isinstance(x, dict) else x for x in (optimizer, schedule)]
    amount = f"{train.get('epochs'):g} epochs" if train.get("epochs") else f"{train.get('updates'):,} updates"
    parts = [amount]
    if run.setting("batching.batch_size"):
        parts.append(f"batches of {run.setting('batching.batch_size') * (train.get('accumulate') or 1)}")
    parts.append(f"{names[0]}, peak learning rate {train.get('learning_rate'):g}, schedule {names[1]}")
    parts.append(str(train.get("precision", "")))
    return ", ".join(part for part in parts if part)


def selection(run):
    chosen = run.setting("train.evaluate_with")
    if chosen is None:
        return None
    if chosen == "last":
        return "the last update; neither validation nor test was looked at"
    words = "the update with the best accuracy on validation examples held out of train; test was not looked at"
    if "best_update" in run.figures:
        words += f" (update {run.figures['best_update'].value:,.0f})"
    return words


def evaluated(run):
    limit = int(run.attributes.get("limit", 0) or 0)
    if "accuracy" in run.figures:
        words = f"{run.figures['accuracy'].n:,} test examples"
        return words + (f": limited to the first {limit:,} of each split" if limit else "")
    return f"limited to the first {limit:,} examples of each split" if limit else None
