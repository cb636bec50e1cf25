#!/usr/bin/env python3
"""What a bounded cache costs against what it saves: perplexity above the full cache, in per cent on a log scale, against
the bytes of the cache: keys, values and what a policy keeps beside them. Points are geometric means over the documents, of
each one's perplexity over its own with the full cache; bars are twice the standard error of that mean. Differences at or
below nothing cannot be shown: there a line is broken."""

import common
import matplotlib
import numpy as np
import sizes
from caches import costs_of, losses_of

MIB = 2**20
FEWEST = 2  # documents without which there is no standard error
LEAST = 0.01  # per cent where the picture begins at the lowest


def draw(cases):
    """None without a full cache to compare with, or where no policy has two sizes."""
    policies = sizes.policies_of(cases)
    full = losses_of(policies.full)
    lines = {name: points_of(policies.line(name), full) for name in policies.names}
    lines = {name: points for name, points in lines.items() if np.isfinite([cost for _, cost, *_ in points]).any()}
    if not any(len(points) > 1 for points in lines.values()):
        return None
    made, (axis,) = common.figure(1, heights=4.0 + 0.1 * len(lines))
    for name, points in lines.items():
        held, cost, lower, upper = np.array(points).T
        axis.errorbar(held / MIB, cost, yerr=[cost - lower, upper - cost], **policies.looks[name],
                      linewidth=1.2, capsize=2, label=name)  # fmt: skip
    axis.set_xscale("log", base=2)
    axis.set_ylim(bottom=max(LEAST, 0.5 * np.nanmin([cost for points in lines.values() for _, cost, *_ in points])))
    common.log_axis(axis)
    axis.xaxis.set_major_formatter(matplotlib.ticker.StrMethodFormatter("{x:,.4g}"))
    axis.set_xlabel("MiB of cache: keys, values and what a policy keeps beside them, log scale")
    broken = "; lines are broken where nothing is lost" if any(
        np.isnan(cost) for points in lines.values() for _, cost, *_ in points) else ""  # fmt: skip
    axis.set_title(f"Perplexity above the full cache\n(per cent, log scale; ± 2 standard errors over documents{broken})")
    common.legend(made, [axis])
    return made


def points_of(cases, full):
    """(bytes, per cent above the full cache, that less and plus two standard errors), by bytes; NaN for what costs nothing,
    and a bar that would reach below nothing ends at a hundredth of its point."""
    points = []
    for case in cases:
        held, costs = case.estimate("cache_bytes"), costs_of(case, full)
        if not held or len(costs) < FEWEST:
            continue
        error = costs.std(ddof=1) / np.sqrt(len(costs))
        cost, lower, upper = 100 * np.expm1(costs.mean() + np.array([0, -2, 2]) * error)
        seen = (cost, max(lower, 0.01 * cost), upper) if cost > 0 else (np.nan,) * 3
        points.append((held.mean, *seen))
    return sorted(points)


if __name__ == "__main__":
    common.main_of_runs(draw, __doc__)
