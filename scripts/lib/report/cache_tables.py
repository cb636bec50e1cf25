"""Tables of perplexity with the sizes of the cache side by side, as the TOVA paper has them."""

from caches import Policies, size_of
from cases import published_of

from report import columns, html
from report.html import element

METRIC = "perplexity"


def is_by_size(cases):
    """Whether an experiment has a policy at several sizes."""
    return len(Policies(cases).sizes) > 1


def by_size(cases):
    """A row a policy, a column a size; the full cache, which has none, in every column."""
    policies = Policies(cases)
    head = ["cache", *(f"k = {size:,}" for size in policies.sizes)]
    rows = [["full cache", *[cell(policies.full)] * len(policies.sizes)]] if policies.full else []
    for name in policies.names:
        held = {size_of(case): case for case in policies.line(name)}
        rows.append([name, *(cell(held[size]) if size in held else "–" for size in policies.sizes)])
    parts = [element("h4", "Perplexity"), element("p", note(cases), class_="soft")]
    return html.join([*parts, html.table(head, rows, range(1, len(head)), first_column=True)])


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
        text += f" In brackets: published ({published_of(cases)['source']})."
    return text
