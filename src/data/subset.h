// Parts of a prepared split, chosen by a hash of each example's id: the same whatever the order of files on a
// disk.
#pragma once

#include <memory>
#include <vector>

#include "data/sequences.h"

namespace attnlab {

/// All examples in an order whose every prefix is balanced: class by class in turn, within a class by a hash
/// of seed and id. So the first N examples are a fixed sample, and a larger N contains a smaller one.
std::vector<int64_t> balanced_order(const LabelledSequences& data, uint64_t seed);

/// Splits an order in two: the first round(fraction × size) of each class, then the rest; both keep the
/// order.
struct HeldOut {
  std::vector<int64_t> held, rest;
};
HeldOut hold_out(const LabelledSequences& data, const std::vector<int64_t>& order, double fraction);

/// The examples of `data` with these indices, in this order.
std::shared_ptr<LabelledSequences> select(std::shared_ptr<const LabelledSequences> data,
                                          std::vector<int64_t> indices);

}  // namespace attnlab
