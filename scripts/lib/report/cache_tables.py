"""Tables of perplexity with the sizes of the cache side by side, as the TOVA paper has them."""

import numpy as np
from caches import Policies, costs_of, losses_of, size_of

from report import columns, html
from report.html import element

METRIC = "perplexity"
FEWEST = 3  # documents without which a standard error says nothing


def is_by_size(cases):
    """Whether an experiment has a policy at several sizes."""
    return len(Policies(cases).sizes) > 1


def by_size(cases):
    """A row a policy, a column a size; the full cache, which has none, in every column."""
    policies = Policies(cases)
    rows = [["full cache", *[cell(policies.full)] * len(policies.sizes)]] if policies.full else []
    return table("Perplexity", note(cases), policies, [*rows, *lines(policies, cell)])


def costs(cases):
    """What each policy costs against the full cache, document by document: documents differ more than policies do, so
    that only differences on the same documents have a standard error that says something. Nothing without both."""
    policies = Policies(cases)
    full = losses_of(policies.full)
    rows = list(lines(policies, lambda case: cost(case, full)))
    if any(text != "–" for row in rows for text in row[1:]):
        words = (
            "Perplexity above that of the same document with the full cache, in per cent: geometric mean over the "
            "documents ± its standard error."
        )
        yield table("What dropping costs (%)", words, policies, rows)


def table(title, words, policies, rows):
    head = ["cache", *(f"k = {size:,}" for size in policies.sizes)]
    parts = [element("h4", title), element("p", words, class_="soft")]
    return html.join([*parts, html.table(head, rows, range(1, len(head)), first_column=True)])


def lines(policies, text):
    """A row a policy, with the text of each of its sizes."""
    for name in policies.names:
        held = {size_of(case): case for case in policies.line(name)}
        yield [name, *(text(held[size]) if size in held else "–" for size in policies.sizes)]


def cost(case, full):
    found = costs_of(case, full)
    if len(found) < FEWEST:
        return "–"
    ratio = np.exp(found.mean())
    return columns.minus(f"{100 * (ratio - 1):.2f} ± {100 * ratio * found.std(ddof=1) / np.sqrt(len(found)):.2f}")


def cell(case):
    """The mean over the seeds, and the paper's figure in brackets."""
    estimate = case.estimate(METRIC)
    said = case.published(METRIC)
    text = columns.number(estimate.mean) if estimate else "–"
    if estimate and estimate.over_seeds:
        text = columns.estimate(estimate, METRIC)
    return text + (f" [{columns.published(said, METRIC)}]" if said else "")


def note(cases):
    text = "States kept in each layer, k, from left to right; pooled over the tokens of all documents."
    if any(case.published(METRIC) for case in cases):
        text += f" In brackets: published ({cases[0].experiment.published['source']})."
    return text
