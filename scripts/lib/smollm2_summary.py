"""What the quickstart's second part came to, in plain words: perplexity by cache on long texts, what that shows, and the
first text's beginning continued with each."""

import textwrap

import tova_summary
from runs import NoRun, load

CACHES = ("full", "window", "window+4", "tova")
SHOWN = 160  # characters of the prompt's end


def lines(folder, width):
    try:
        cases = [case for experiment in load(folder) for case in experiment.cases if case.estimate("perplexity")]
    except NoRun:
        cases = []
    found = {case.label: case for case in cases}
    if not found.keys() >= set(CACHES):
        yield f"no run of {folder.name} is done" if not found else f"not all runs of {folder.name} are done"
        return
    yield from perplexities(found)
    for sentence in meaning({name: tova_summary.perplexity(found[name]) for name in CACHES}):
        yield from wrapped(sentence, width, "  ")
    yield from continuations(folder, width)
    yield f"Report         {folder / 'report.html'}"


def perplexities(found):
    figures = found["full"].done[0].figures
    yield (
        f"Perplexity     of SmolLM2-135M (weights stored as Q4_1) on {figures['perplexity'].n} texts, "
        f"{figures['scored_tokens'].value:,.0f} tokens; all caches but the first hold an eighth of a text"
    )
    for name in CACHES:
        value, memory = tova_summary.perplexity(found[name]), found[name].done[0].figures["cache_bytes"].value
        yield f"  {name:<12} {value:8.2f}   {memory / 2**20:6.1f} MiB of keys and values"


def meaning(perplexity):
    """Two sentences, from the figures."""
    costs = {name: 100 * (value / perplexity["full"] - 1) for name, value in perplexity.items()}
    sinks = "the model leans on its first tokens" if costs["window+4"] < costs["window"] / 2 else "here that hardly helps"
    yield (
        f"A window of the newest states costs {costs['window']:.0f} % of perplexity, and {costs['window+4']:.0f} % where "
        f"it keeps the first four tokens as well: {sinks}."
    )
    order = "less" if costs["tova"] < costs["window+4"] else "not less"
    yield (
        f"TOVA keeps what the newest token attends to, protects nothing by rule and costs {costs['tova']:.0f} %, {order} "
        f"than that; two texts are too few to tell close figures apart."
    )


def continuations(folder, width):
    """The prompt's end, and how it went on with each cache."""
    told = {name: line for name in CACHES if (line := tova_summary.told_in(folder / f"{name}.jsonl"))}
    if not told:
        return
    prompt = " ".join(next(iter(told.values()))["prompt"].split())
    yield from wrapped(f"Continued:     {'… ' if len(prompt) > SHOWN else ''}{prompt[-SHOWN:].split(' ', 1)[-1]}", width)
    for name, line in told.items():
        yield from wrapped(f"With {name}: {tova_summary.short(line['text'])}", width, "  ")


def wrapped(text, width, indent=""):
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent="  ")
