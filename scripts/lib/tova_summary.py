"""What the quickstart's second part came to, in plain words: perplexities by cache, and a prompt continued with two."""

import json
import textwrap

from runs import NoRun, load, without_keys

MEANING = (
    "The model is stories260K, which knows short children's stories only, and it wrote these stories itself: on them no "
    "cache can be better than the full one on average, so the table shows what each loses against it, and that the "
    "harness works. It says nothing about other texts or larger models."
)
SHOWN = 260  # characters of a continuation


def lines(folder, width):
    try:
        runs = [run for run in load(folder) if run.status == "done"]
    except NoRun:
        runs = []
    if not runs:
        yield f"no run of {folder.name} is done"
        return
    yield from perplexities(runs)
    yield from textwrap.wrap(MEANING, width, initial_indent="  ", subsequent_indent="  ")
    for name in ("full", "tova"):
        yield from continuation(folder / f"{name}.jsonl", width)
    yield f"Report         {folder / 'report.html'}"


def perplexities(runs):
    """A line a policy over the sizes, the full cache first."""
    held = {}
    for run in runs:
        size = run.setting("cache.size")
        held.setdefault(without_keys(run.label, ("cache.size",)), {})[size] = run.figures["perplexity"].value
    full = held.pop("full", {})
    sizes = sorted({size for values in held.values() for size in values})
    first = runs[0].figures["perplexity"]
    tokens = runs[0].figures["scored_tokens"].value
    whole = f"{next(iter(full.values())):.3f} with the full cache" if full else "the full cache was not run"
    yield f"Perplexity     {whole}, on {first.n} stories of {tokens:,.0f} tokens"
    yield f"  states kept  {''.join(f'{size:>8}' for size in sizes)}"
    for name, values in sorted(held.items()):
        cells = (f"{values[size]:8.3f}" if size in values else f"{'–':>8}" for size in sizes)
        yield f"  {name:<12} {''.join(cells)}"


def continuation(path, width):
    """The prompt and how it went on."""
    try:
        told = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    except (OSError, ValueError, IndexError):
        return
    if "error" in told:
        return
    cache = "full cache" if told["size"] is None else f"{told['policy']}, {told['size']} states"
    text = " ".join(told["text"].split())
    text = text if len(text) <= SHOWN else text[:SHOWN].rsplit(" ", 1)[0] + " …"
    yield f"Continued with {cache} ({told['cache_bytes'] / 1024:,.0f} KiB of keys and values):"
    yield from textwrap.wrap(f"{told['prompt']} | {text}", width, initial_indent="  ", subsequent_indent="  ")
