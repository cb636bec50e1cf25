"""How lines over the size of a cache look: what perplexity_by_size, perplexity_by_book and loss_by_position share."""

import common
from caches import Policies
from cases import cases_of


def policies_of(runs):
    """The policies with how each looks."""
    policies = Policies(cases_of(runs))
    policies.looks = common.styles(policies.names)
    return policies


def size_axis(axis, sizes):
    common.length_axis(axis, sizes, "states kept in each layer (k), log scale")


def columns(names):
    return 1 if max(map(len, names), default=0) > 24 else 2
