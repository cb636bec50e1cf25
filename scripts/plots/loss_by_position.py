#!/usr/bin/env python3
"""Loss of a token by its position in the chunk, from /eval/position: where a policy begins to cost, and whether a cache
breaks down. A panel with the full cache, and one a size of how much more the policies lose, for at most three sizes: the
least, one between, and the greatest. Without a full cache, or with one that reads shorter chunks, as it must beyond a
model's positions, the losses themselves. The baseline, whose chunks are shorter, is left out."""

import common
import numpy as np
import sizes
from caches import name_of, size_of

MOST = 3
LEAST = 0.02  # nat that a panel of differences reaches up and down at least


def draw(cases, run=None):
    """None where no record has the losses of two ranges of positions. `run`: the only one to show of its case."""
    policies = sizes.policies_of(cases)
    known = [case for case in (policies.full, *policies.bounded) if case]
    curves = {case: curve_of([run] if run else case.done) for case in known}
    bounded = [case for case in policies.bounded if not case.setting("baseline") and curves[case]]
    full = curves.get(policies.full, {})
    beside = full if all(curves[case].keys() <= full.keys() for case in bounded) else {}
    shown = chosen(sorted({size_of(case) for case in bounded}))
    if not shown and not full:
        return None
    made, axes = common.figure(len(shown) + bool(full), heights=2.3 + 0.05 * len(policies.names), sharex=True)
    if full:
        axes[0].plot(*zip(*full.items()), color=common.BLACK, linewidth=1.5, label="full cache")
        axes[0].set_title("Loss by position, full cache (nat a token)")
    for axis, size in zip(axes[bool(full) :], shown):
        for case in (case for case in bounded if size_of(case) == size):
            draw_curve(axis, curves[case], beside, policies, name_of(case))
        if beside:
            axis.axhline(0, color=common.BLACK, linewidth=1.5)
            low, high = axis.get_ylim()
            axis.set_ylim(min(low, -LEAST), max(high, LEAST))
        axis.set_title(f"{'Above the full cache' if beside else 'Loss by position'}, k = {size:,} (nat a token)")
    axes[-1].set_xlabel("position in the chunk (tokens)")
    if bounded:
        names = list(dict.fromkeys(name_of(case) for case in bounded))
        common.legend(made, axes[bool(full) :])
    return made


def draw_curve(axis, curve, full, policies, name):
    """Over the full cache's loss in the same ranges, where there is one."""
    points = [(x, y - full[x] if full else y) for x, y in curve.items()]
    look = {**policies.looks[name], "linewidth": 1.2, "markersize": 4}
    axis.plot(*zip(*points), **look, markevery=max(1, len(points) // 8), label=name)


def draw_run(run):
    """The same of one run."""
    return draw([run.case], run) if run.status == "done" else None


def curve_of(runs):
    """{middle of a range: mean loss in it} over some runs; empty with fewer than two ranges."""
    sums = {}
    for run in runs:
        table = run.table("/eval/position")
        if table is None or "nll" not in table:
            continue
        for first, last, tokens, nll in zip(table["first"], table["last"], table["tokens"], table["nll"]):
            held = sums.setdefault((first + last) / 2, np.zeros(2))
            held += (tokens, nll)
    means = {middle: nll / tokens for middle, (tokens, nll) in sorted(sums.items()) if tokens}
    return means if len(means) > 1 else {}


def chosen(all_sizes):
    if len(all_sizes) <= MOST:
        return all_sizes
    return [all_sizes[0], all_sizes[len(all_sizes) // 2], all_sizes[-1]]


if __name__ == "__main__":
    common.main_of_runs(draw, __doc__)
