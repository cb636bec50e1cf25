"""What was run, from the resolved configuration: the facts without which an accuracy cannot be read."""

from runs import describe


def facts(run):
    """(name, words) of what is known of the protocol."""
    rows = [
        ("Task", run.setting("task")),
        ("Data", chosen(run, "data") or chosen(run, "benchmark")),
        ("Route", run.text("data_route")),
        ("Search", search(run)),
        ("BLEU", run.text("bleu_signature")),
        ("Prompt", prompt(run)),
        ("Answers", answers(run)),
        ("Length", length(run)),
        ("Vocabulary", vocabulary(run)),
        ("Model", model(run)),
        ("Attention", attention(run, "model.encoder.attention")),
        ("Target's attention", attention(run, "model.self_attention")),
        ("Attention to the source", attention(run, "model.cross_attention")),
        ("Parameters", parameters(run)),
        ("Training", training(run)),
        ("Mixture", mixture(run)),
        ("Trained under", trained_under(run)),
        ("Cache", cache(run)),
        ("Batch", batch(run)),
        ("Precision", precision(run)),
        ("Repetitions", repetitions(run)),
        ("Selection", selection(run)),
        ("Selected", selected(run)),
        ("Evaluated on", evaluated(run)),
        ("Seed", run.attributes.get("seed")),
    ]
    return [(name, str(words)) for name, words in rows if words not in (None, "")]


def chosen(run, key):
    """What stands under a key: its type with its options, and how much of it was looked at."""
    settings = run.setting(key)
    if not isinstance(settings, dict):
        return settings
    told = {key: value for key, value in settings.items() if key != "type" and (value or key not in OPTIONS)}
    rest = ", ".join(option(run, key, value) for key, value in told.items())
    few = f", the first {run.setting('documents'):,} documents" if key in ("data", "benchmark") and run.setting("documents") else ""
    return f"{settings.get('type', '')}" + (f" ({rest})" if rest else "") + few


OPTIONS = {  # where 0 or false stands, nothing is said
    "validation_fraction": "{:.4g} of the training examples held out for validation",
    "train_on_held_out": "which are trained on, too",
    "train_examples": "{:,} training examples",
    "validation_examples": "{:,} validation examples",
    "test_examples": "{:,} test examples",
    "min_length": "of {:,} tokens at least",
    "max_length": "of {:,} at most",
}


def option(run, key, value):
    """An option of the data in words; of the examples of an evaluation those within the run's limit."""
    limit = int(run.attributes.get("limit", 0) or 0)
    if limit and key in ("validation_examples", "test_examples"):
        value = min(value, limit)
    return OPTIONS[key].format(value) if key in OPTIONS else f"{key.replace('_', ' ')} {describe(value)}"


def prompt(run):
    """How a model is asked, and when states are dropped: figures of both kinds do not belong into one column."""
    if run.setting("template") is None:
        return None
    chat = run.text("prompt_template") or run.setting("template")
    words = "as a bare text" if chat == "none" else f"in the chat format {chat}"
    return words + f"; {when_dropped(run)}"


def when_dropped(run):
    if run.setting("baseline") or run.cache_policy == "full":
        return "nothing is dropped"
    how, piece = run.setting("cache.prompt", "per_step"), run.setting("cache.piece")
    words = {"per_step": "states are dropped after every token of it", "pieces": f"states are dropped every {piece} tokens",
             "one_shot": "states are dropped once, after all of it"}.get(how, how)  # fmt: skip
    seen = run.figures.get("question_visible")
    return words + ("" if seen is None else ", when the question " + ("has been read" if seen.value else "is not yet known"))


def answers(run):
    if run.setting("template") is None:
        return None
    held = run.setting("sampling")
    chosen = "greedy"
    if isinstance(held, dict) and held.get("temperature"):
        chosen = ", ".join(f"{key.replace('_', '-')} {value:g}" for key, value in held.items() if value)
    most = run.setting("max_new_tokens")
    return chosen + (f", at most {most:,} tokens" if most else ", as many tokens as was published")


def length(run):
    if run.setting("task") == "train_lm":
        return f"packed chunks of {run.setting('context'):,} tokens"
    if run.setting("lengths") is not None:
        return ", ".join(f"{n:,}" for n in run.setting("lengths")) + " tokens"
    if run.setting("task") == "decode_speed":
        return f"{run.setting('context'):,} tokens read when {run.setting('tokens'):,} timed steps are done"
    if isinstance(run.setting("length"), int):
        return f"{run.setting('length'):,} tokens"
    if isinstance(run.setting("chunks"), dict):
        return chunks(run)
    most = run.setting("encoding.max_length")
    if most is None:
        return None
    marks = [mark for mark, key in (("<CLS>", "cls"), ("</s>", "eos")) if run.setting(f"encoding.{key}")]
    return (
        f"at most {most:,} tokens" + (f", {' and '.join(marks)} included" if marks else "") + "; longer texts are cut"
    )


def chunks(run):
    """How documents were cut."""
    held = run.setting("chunks")
    if run.setting("data.type") == "token_lines":
        return "chunks of token ids as they stand in the file"
    # Chunks of the baseline, which has no policy, are as long as the caches of the others.
    size = run.setting("cache.size") if run.setting("baseline") else held.get("length")
    words = f"chunks of {size:,} tokens" + ("" if held.get("bos") == "none" else f", BOS before each {held.get('bos')}")
    words += f", beginning {held['stride']:,} apart, each scoring what is new to it" if held.get("stride") else ""
    words += {"keep": "; a shorter last one is kept", "drop": "; a shorter last one is left out"}.get(held.get("last"), "")
    return words + (f"; the first {held['max_tokens']:,} tokens of a document" if held.get("max_tokens") else "")


def cache(run):
    """What a decoder's layers kept; the keys with defaults that say nothing are left out."""
    held = run.setting("cache")
    if not isinstance(held, dict):
        return None
    if run.setting("baseline") or run.cache_policy == "full":
        return "everything in the chunk" if run.setting("task") == "perplexity" else "everything"
    return kept(held)


def kept(held):
    """What a policy that drops something keeps."""
    policy = held.get("policy")
    size = f"{held['share']} of the text" if held.get("share") else f"{held.get('size'):,} states"
    words = [f"{policy.get('type') if isinstance(policy, dict) else policy}, {size} a layer"]
    words += [f"{key} {value}" for key, value in policy.items() if key != "type"] if isinstance(policy, dict) else []
    words += [f"first {held['protect_first']} protected"] if held.get("protect_first") else []
    words += [f"tokens protected: {' '.join(held['protect'])}"] if held.get("protect") else []
    words += [f"budget {held['budget']}"] if held.get("budget", "uniform") != "uniform" else []
    words += [f"only layers {describe(held['only_layers'])}"] if held.get("only_layers") else []
    words += ["gaps compressed"] if held.get("compress_gaps") else []
    return ", ".join(words)


def trained_under(run):
    """What layers forgot of the texts that a language model was trained on."""
    held = run.setting("train.policy")
    cache = held.get("cache") if isinstance(held, dict) else None
    if not isinstance(cache, dict) or cache.get("policy") in ("full", {"type": "full"}, None):
        return None
    words = [kept(cache)]
    if held.get("sizes"):
        words += [f"validated so; each micro-batch draws one of {describe(held['sizes'])} states"]
    words += [f"{100 * held['full']:g} % of the micro-batches keep everything"] if held.get("full") else []
    words += [f"reconstruction of what was dropped with weight {held['reconstruction']:g}"] if held.get("reconstruction") else []
    return "; ".join(words)


def mixture(run):
    """Running text and answers to questions in one training."""
    held = run.setting("mixture")
    if not isinstance(held, dict):
        return None
    of = {key: chosen(run, f"mixture.{key}") for key in ("questions", "held_out")}
    words = f"text to answers {held.get('text'):g} : {held.get('answers'):g}, of {of['questions']}, held out {of['held_out']}"
    return words + (f", answers of at most {held['longest_answer']:,} tokens" if held.get("longest_answer") else "")


def vocabulary(run):
    if "vocabulary" in run.attributes:
        return f"{int(run.attributes['vocabulary']):,} tokens"
    if run.setting("start_from"):
        return f"that of {run.setting('start_from')}"
    if run.setting("tokenizer.vocabulary") is not None:
        of_pieces = f"{run.setting('tokenizer.vocabulary'):,} pieces, trained on the documents"
        return run.setting("tokenizer.path") or of_pieces
    if run.setting("vocabulary") is not None:
        return f"{run.setting('vocabulary'):,} tokens"
    return "256 bytes and 5 special tokens" if run.setting("data.type") == "imdb" else None


def model(run):
    if isinstance(run.setting("model"), str) and run.setting("model"):
        stored = run.text("weights_stored_as")
        return run.setting("model") + (f", of weights stored as {stored}" if stored else "")
    if run.setting("start_from"):
        return f"goes on from {run.setting('start_from')}"
    if isinstance(run.setting("sizes"), dict):
        return f"random weights: {sizes(run.setting('sizes'))}"
    if isinstance(run.setting("model.layers"), int):
        return sizes(run.setting("model"))
    encoder = run.setting("model.encoder")
    if not isinstance(encoder, dict):
        return None
    words = sizes(encoder)
    dropouts = [f"{words} {encoder[key]:g}" for key, words in DROPOUTS.items() if encoder.get(key)]
    return f"{words}, " + (", ".join(dropouts) if dropouts else "no dropout")


def sizes(held):
    return (
        f"{held.get('layers')} layers of width {held.get('dim')}, {held.get('heads')} heads, "
        f"feed-forward {held.get('ffn_dim')}"
    )


DROPOUTS = {
    "dropout": "dropout",
    "attention_dropout": "attention dropout",
    "activation_dropout": "activation dropout",
}


def search(run):
    """How translations were looked for."""
    held = run.setting("decoding")
    if not isinstance(held, dict):
        return None
    return f"beam {held['beam']}, stop {held['stop']}, length penalty {held['length_penalty']} with α {held['alpha']:g}"


def attention(run, key):
    if run.setting("models"):
        return ", ".join(run.setting("models")) if key == "model.encoder.attention" else None
    held = run.setting(key)
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
    if run.setting("memory_budget") and "batch" in run.figures:
        return f"{run.figures['batch'].value:,.0f} texts within {run.setting('memory_budget'):g} GiB"
    size = run.setting("batching.batch_size") or run.setting("batch_size")
    if not size:
        return None
    accumulated = run.setting("train.accumulate") or 1
    names = {"perplexity": "chunk", "train_lm": "chunk", "score_speed": "chunk", "decode_speed": "text"}
    what = names.get(run.setting("task"), "example")
    count = f"1 {what}" if size * accumulated == 1 else f"{size * accumulated} {what}s"
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
    if chosen == "average":
        return (f"the mean of the weights after updates {run.attributes.get('averaged_updates', '?')}; neither validation "
                "nor test was looked at")
    of = "documents" if run.validated_by == "perplexity" else "examples"
    return f"the update with the best {run.validated_by} on validation {of} held out of train; test was not looked at"


def selected(run):
    return f"update {run.figures['best_update'].value:,.0f}" if "best_update" in run.figures else None


def evaluated(run):
    limit = int(run.attributes.get("limit", 0) or 0)
    if "accuracy" in run.figures:
        words = f"{run.figures['accuracy'].n:,} test examples"
        return words + (f": limited to the first {limit:,} of each split" if limit else "")
    if "perplexity" in run.figures and "scored_tokens" in run.figures:
        return f"{run.figures['scored_tokens'].value:,.0f} tokens of {run.figures['perplexity'].n:,} documents"
    return f"limited to the first {limit:,} examples of each split" if limit else None
