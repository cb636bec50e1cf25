#!/usr/bin/env python3
"""Perplexity against the size k of the cache, a line a policy, with the full cache and the published figures for
reference. What lies far from the policies, as the baseline of short chunks may, is in a second panel with all of it."""

import common
import numpy as np
import scaling
import sizes
from caches import size_of

NEAR = 1.8  # the first panel reaches up to so many times the lowest perplexity


def draw(runs):
    """None unless some policy was run with two sizes."""
    policies = sizes.policies_of(runs)
    lines = {name: points_of(policies.line(name)) for name in policies.names}
    if not any(len(points) > 1 for points in lines.values()):
        return None
    full = policies.full.estimate("perplexity") if policies.full else None
    said = {name: published_of(policies.line(name)) for name in policies.names}
    said_full = [value for value, _ in policies.full.published("perplexity")] if policies.full else []
    values = [y for points in lines.values() for _, y, _ in points] + ([full.mean] if full else [])
    everything = values + [y for points in said.values() for _, y in points] + said_full
    low, high = extent([e.mean for e in policies.estimates("perplexity")], min(values))
    whole = min(everything) < low or max(everything) > high
    made, axes = common.figure(2 if whole else 1, heights=3.3 + 0.07 * len(lines))
    for axis in axes:
        draw_lines(axis, policies, lines, full)
        draw_published(axis, policies, said, said_full)
        sizes.size_axis(axis, policies.sizes)
    axes[0].set_ylim(low, high)
    axes[0].set_title("Perplexity against size of the cache")
    if whole:
        axes[1].set_yscale("log")
        scaling.plain_numbers(axes[1])
        axes[1].set_title("All of it, log scale")
    common.legend_below(made, axes[0], columns=sizes.columns(policies.names))
    return made


def extent(values, least):
    """(low, high) of the panel near the policies."""
    top = min(max(values), NEAR * least)
    margin = 0.05 * (top - least) or 0.01 * least
    return least - margin, top + margin


def points_of(cases):
    """(size, perplexity, spread over seeds) of each case; NaN where there is one seed."""
    held = [(size_of(case), e) for case in cases if (e := case.estimate("perplexity"))]
    return [(size, e.mean, e.spread if e.over_seeds else np.nan) for size, e in held]


def published_of(cases):
    return [(size_of(case), value) for case in cases for value, _ in case.published("perplexity")]


def draw_lines(axis, policies, lines, full):
    if full:
        axis.axhline(full.mean, color=common.BLACK, linewidth=1.4, label="full cache")
    for name, points in lines.items():
        if points:
            size, mean, spread = np.array(points).T
            error = np.nan_to_num(spread) if np.isfinite(spread).any() else None
            axis.errorbar(size, mean, yerr=error, **policies.looks[name], linewidth=1.4, capsize=3, label=name)


def draw_published(axis, policies, said, said_full):
    """Faint, without markers, in the colour of ours."""
    faint = dict(linestyle=(0, (3, 3)), linewidth=1.1, alpha=0.5)
    for name, points in said.items():
        if points:
            axis.plot(*zip(*points), color=policies.looks[name]["color"], **faint)
    for value in said_full:
        axis.axhline(value, color=common.BLACK, **faint)
    if said_full or any(said.values()):
        axis.plot([], [], color=common.GREY, **faint, label="faint: published, another model")


if __name__ == "__main__":
    common.main_of_runs(draw, __doc__)
