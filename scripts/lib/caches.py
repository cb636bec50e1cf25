"""The runs of a perplexity experiment by policy and size of the cache, for its table and its plots."""

from fractions import Fraction

import numpy as np


class Policies:
    """The cases of a sweep over policies and sizes: `full` keeps everything, None where none of that kind is done; the
    others have a size and a name, under which they make a line."""

    def __init__(self, cases):
        cases = [case for case in cases if case.setting("task") == "perplexity" and case.done]
        self.full = next((case for case in cases if is_full(case)), None)
        self.bounded = [case for case in cases if not is_full(case) and size_of(case)]
        self.names = list(dict.fromkeys(name_of(case) for case in self.bounded))
        self.sizes = sorted({size_of(case) for case in self.bounded})

    def is_baseline(self, name):
        return any(case.setting("baseline") for case in self.line(name))

    def estimates(self, metric):
        """Of every case but the baseline; of that too where there is nothing else."""
        cases = [case for case in self.bounded if not case.setting("baseline")] or self.bounded
        return [e for case in cases if (e := case.estimate(metric))]

    def line(self, name):
        """The cases of a line by size."""
        return sorted((case for case in self.bounded if name_of(case) == name), key=size_of)


def losses_of(case):
    """{document: mean loss of a token}, over the seeds that are done; empty where there is no case."""
    held = {}
    for run in case.done if case else ():
        if (table := run.table("/eval/test")) is not None and "nll" in table:
            for document, nll, tokens in zip(table["id"], table["nll"], table["tokens"]):
                held.setdefault(document, []).append(nll / tokens)
    return {document: float(np.mean(values)) for document, values in held.items()}


def costs_of(case, full):
    """What a token of each document costs more than in `full`, the losses of the full cache, in nat; of documents that
    both have."""
    return np.array([loss - full[document] for document, loss in losses_of(case).items() if document in full])


def is_full(case):
    """Whether nothing is ever dropped; the baseline reads shorter chunks instead."""
    return case.runs[0].cache_policy == "full" and not case.setting("baseline")


def size_of(case):
    """k; 0 where the record does not say."""
    if share := case.setting("cache.share"):  # of a chunk's length
        return round(Fraction(str(share)) * case.setting("chunks.length", 0))
    size = case.setting("cache.size")
    return size if isinstance(size, int) else 0


def name_of(case):
    """The case's label without its size; of a run without a label its policy."""
    return case.named_without(("cache.size", "cache.share")) or str(case.runs[0].cache_policy)
