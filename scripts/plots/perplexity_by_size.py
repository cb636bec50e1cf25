#!/usr/bin/env python3
"""Perplexity against the size k of the cache, a line a policy, with the full cache and the published figures for
reference. A second panel shows how far each lies above the full cache, on a log scale: what differs by a hundredth of a
per cent and what breaks down."""

import common
import numpy as np
import sizes
from caches import size_of

NEAR = 1.4  # the first panel reaches up to so many times the lowest perplexity
LEAST = 0.01  # per cent above the full cache where the second panel begins
OURS = dict(linewidth=1.4)
FAINT = dict(linestyle=(0, (3, 3)), linewidth=1.1, alpha=0.5)


def draw(cases):
    """None unless some policy was run with two sizes."""
    policies = sizes.policies_of(cases)
    lines = {name: points_of(policies.line(name)) for name in policies.names}
    if not any(len(points) > 1 for points in lines.values()):
        return None
    full = policies.full.estimate("perplexity") if policies.full else None
    said = {name: published_of(policies.line(name)) for name in policies.names}
    said_full = [value for value, _ in policies.full.published("perplexity")] if policies.full else []
    values = [y for points in lines.values() for _, y, _ in points] + ([full.mean] if full else [])
    made, axes = common.figure(2, heights=3.3 + 0.07 * len(lines))
    for axis in axes:
        sizes.size_axis(axis, policies.sizes)
    draw_lines(axes[0], policies, lines)
    draw_published(axes[0], policies, said, said_full)
    if full:
        axes[0].axhline(full.mean, color=common.BLACK, **OURS, label="full cache")
    axes[0].set_ylim(*extent([e.mean for e in policies.estimates("perplexity")], min(values)))
    axes[0].set_title("Perplexity against size of the cache")
    common.log_axis(axes[1])
    if full:
        draw_lines(axes[1], policies, {name: above(points, full.mean) for name, points in lines.items()})
        if said_full:
            draw_published(axes[1], policies, {name: above(points, said_full[0]) for name, points in said.items()})
        axes[1].set_ylim(bottom=LEAST)
        axes[1].set_title("Above the full cache (per cent, log scale)")
    else:
        draw_lines(axes[1], policies, lines)
        draw_published(axes[1], policies, said)
        axes[1].set_title("All of it, log scale")
    common.legend(made, axes[:1])
    return made


def above(points, full):
    """The same in per cent above `full`; NaN at or below it, which a log scale cannot show."""
    return [(size, 100 * (y / full - 1) if y > full else np.nan, *(100 * s / full for s in spread))
            for size, y, *spread in points]  # fmt: skip


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


def draw_lines(axis, policies, lines):
    for name, points in lines.items():
        if points:
            size, mean, spread = np.array(points).T
            error = np.nan_to_num(spread) if np.isfinite(spread).any() else None
            axis.errorbar(size, mean, yerr=error, **policies.looks[name], **OURS, capsize=3, label=name)


def draw_published(axis, policies, said, said_full=()):
    """Faint, without markers, in the colour of ours."""
    for name, points in said.items():
        if points:
            axis.plot(*zip(*points), color=policies.looks[name]["color"], **FAINT)
    for value in said_full:
        axis.axhline(value, color=common.BLACK, **FAINT)
    if said_full or any(said.values()):
        axis.plot([], [], color=common.GREY, **FAINT, label="faint: published, another model")


if __name__ == "__main__":
    common.main_of_runs(draw, __doc__)
