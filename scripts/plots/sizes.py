"""How lines over the size of a cache look: what perplexity_by_size, perplexity_by_book and loss_by_position share."""

import common
from caches import Policies


def policies_of(cases):
    """The policies with how each looks."""
    policies = Policies(cases)
    policies.looks = common.styles(policies.names)
    return policies


def size_axis(axis, sizes):
    common.length_axis(axis, sizes, "states kept in each layer (k), log scale")
