#!/usr/bin/env python3
"""Perplexity against the bytes that a model remembers of a text, a line a family: the policies of a bounded cache at their
sizes k, and models that keep a state of a fixed size (Luna at several l). The full cache stands alone. Bars are the standard
deviation over seeds, of a single seed the standard error over chunks; all models read the same ones, so that the differences
between them are surer than the bars. Also drawn from what `attnlab table EXPERIMENT --format csv` wrote."""

import re

import common
import matplotlib
import numpy as np
from caches import is_full, name_of

KIB = 1024
LINE = dict(linewidth=1.4, elinewidth=0.9, capsize=3)  # bars of models that read the same chunks lie over each other


def draw(cases):
    """None unless several models were scored, at least two of them, or of their caches, with states of different sizes."""
    cases = [case for case in cases if case.setting("task") == "perplexity" and case.done and bytes_of(case)]
    if len({case.setting("model") for case in cases}) < 2:
        return None
    return draw_families(points_by_family(cases))


def draw_table(rows):
    """Of the rows of a CSV file, which says no policy: one without a size drops nothing."""
    families = {}
    for row in rows:
        if row["kind"] == "ours" and row["perplexity"] and float(row["cache_bytes"]):
            name = row["label"] if row["cache.size"] else without_size(row["label"])
            spread = float(row["perplexity_sd"] or row["perplexity_se"] or "nan")
            point = (float(row["cache_bytes"]), float(row["perplexity"]), spread)
            families.setdefault(name, []).append(point)
    return draw_families({name: sorted(points) for name, points in families.items()})


def draw_families(families):
    """A line each; None where no family has several sizes."""
    if not any(len(points) > 1 for points in families.values()):
        return None
    looks = common.styles(families, [name for name, points in families.items() if len(points) == 1])
    made, (axis,) = common.figure(1, heights=3.6)
    for name, points in families.items():
        size, perplexity, spread = np.array(points).T
        error = np.nan_to_num(spread) if np.isfinite(spread).any() else None
        axis.errorbar(size / KIB, perplexity, yerr=error, **looks[name], **LINE, label=name)
    axis.set_xscale("log", base=2)
    axis.xaxis.set_major_formatter(matplotlib.ticker.StrMethodFormatter("{x:,.6g}"))
    axis.set_xlabel("KiB of state a text, log scale")
    axis.set_ylabel("perplexity, log scale")
    axis.set_title("Perplexity against bytes of state")
    common.log_axis(axis)
    common.legend(made, [axis])
    return made


def bytes_of(case):
    held = case.estimate("cache_bytes")
    return held.mean if held else 0


def family_of(case):
    return without_size(case.label) if is_full(case) else name_of(case)


def without_size(label):
    """Luna-16 and Luna-64 are Luna."""
    return re.sub(r"-\d+$", "", label)


def points_by_family(cases):
    """{family: [(bytes, perplexity, spread over seeds, else standard error)]}, by bytes."""
    families = {}
    for case in cases:
        if e := case.estimate("perplexity"):
            families.setdefault(family_of(case), []).append((bytes_of(case), e.mean, e.spread))
    return {name: sorted(points) for name, points in families.items()}


if __name__ == "__main__":
    common.main_of_runs(draw, __doc__, draw_table)
