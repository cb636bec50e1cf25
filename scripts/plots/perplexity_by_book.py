#!/usr/bin/env python3
"""What a bounded cache costs book by book: the perplexity of each document over that with the full cache, against the
size k. Points are medians over the documents, bars the middle half of them. Above 1.8 lines leave the picture."""

import common
import numpy as np
import sizes
from caches import costs_of, losses_of, size_of

HIGHEST = 1.8
FEWEST = 4  # documents without which quartiles say nothing


def draw(cases):
    """None without a full cache to compare with, or with too few documents."""
    policies = sizes.policies_of(cases)
    full = losses_of(policies.full)
    lines = {name: points_of(policies.line(name), full) for name in policies.names}
    lines = {name: points for name, points in lines.items() if points}
    if not lines or not any(len(points) > 1 for points in lines.values()):
        return None
    made, (axis,) = common.figure(1, heights=3.4 + 0.07 * len(lines))
    axis.axhline(1, color=common.BLACK, linewidth=1.4, label="full cache")
    for at, (name, points) in enumerate(lines.items()):
        # Beside each other by one and a half per cent, so that bars of equal sizes stay apart.
        shift = 1.015 ** (at - (len(lines) - 1) / 2)
        size, lower, median, upper = np.array(points).T
        axis.errorbar(size * shift, median, yerr=[median - lower, upper - median], **policies.looks[name],
                      linewidth=1.2, capsize=2, label=name)  # fmt: skip
    limit(axis, [points for name, points in lines.items() if not policies.is_baseline(name)])
    sizes.size_axis(axis, policies.sizes)
    axis.set_title("Perplexity over that with the full cache,\nmedian and middle half of the documents")
    common.legend(made, [axis])
    return made


def limit(axis, lines):
    """To what the policies need; the baseline of short chunks may lie far above them."""
    held = [point for points in lines for point in points]
    if held:
        low, high = min(p[1] for p in held), min(HIGHEST, max(p[3] for p in held))
        axis.set_ylim(min(low, 1) - 0.02, high + 0.02)


def points_of(cases, full):
    """(size, lower quartile, median, upper quartile) of the ratio over the documents that both have."""
    points = []
    for case in cases:
        ratios = np.exp(costs_of(case, full))
        if len(ratios) >= FEWEST:
            points.append((size_of(case), *np.quantile(ratios, [0.25, 0.5, 0.75])))
    return points


if __name__ == "__main__":
    common.main_of_runs(draw, __doc__)
