"""What the quickstart's second part came to, in plain words: perplexities by cache, and a prompt continued with two."""

import json
import textwrap

from caches import Policies, size_of
from runs import NoRun, load

MEANING = (
    "The model is stories260K, which knows short children's stories only, and it wrote these stories itself: on them no "
    "cache can be better than the full one on average, so the table shows what each loses against it, and that the "
    "harness works. It says nothing about other texts or larger models."
)
SHOWN = 260  # characters of a continuation


def lines(folder, width):
    try:
        cases = [case for experiment in load(folder) for case in experiment.cases if case.estimate("perplexity")]
    except NoRun:
        cases = []
    if not cases:
        yield f"no run of {folder.name} is done"
        return
    yield from perplexities(cases)
    yield from textwrap.wrap(MEANING, width, initial_indent="  ", subsequent_indent="  ")
    for name in ("full", "tova"):
        yield from continuation(folder / f"{name}.jsonl", width)
    yield f"Report         {folder / 'report.html'}"


def perplexities(cases):
    """A line a policy over the sizes, the full cache first."""
    policies, first = Policies(cases), cases[0].done[0].figures
    whole = f"{perplexity(policies.full):.3f} with the full cache" if policies.full else "the full cache was not run"
    yield f"Perplexity     {whole}, on {first['perplexity'].n} stories of {first['scored_tokens'].value:,.0f} tokens"
    yield f"  states kept  {''.join(f'{size:>8}' for size in policies.sizes)}"
    for name in sorted(policies.names):
        values = {size_of(case): perplexity(case) for case in policies.line(name)}
        cells = (f"{values[size]:8.3f}" if size in values else f"{'–':>8}" for size in policies.sizes)
        yield f"  {name:<12} {''.join(cells)}"


def perplexity(case):
    return case.estimate("perplexity").mean


def continuation(path, width):
    """The prompt and how it went on."""
    told = told_in(path)
    if not told:
        return
    cache = "full cache" if told["size"] is None else f"{told['policy']}, {told['size']} states"
    yield f"Continued with {cache} ({told['cache_bytes'] / 1024:,.0f} KiB of keys and values):"
    yield from textwrap.wrap(f"{told['prompt']} | {short(told['text'])}", width, initial_indent="  ", subsequent_indent="  ")


def told_in(path):
    """What predict said of the first prompt; None where there is no text."""
    try:
        told = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None
    return None if "error" in told else told


def short(text):
    """On one line, and its beginning where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else text[:SHOWN].rsplit(" ", 1)[0] + " …"
