// How SnapKV's score spreads over neighbouring tokens (Li et al. 2024, arXiv 2404.14469, §4).
#pragma once

#include <algorithm>
#include <cstdint>

namespace attnlab {

enum class NeighbourPooling { average, max };

/// Of the `pool` values, an odd number, centred on the i-th of n, with 0 beyond either end. value(j) is no
/// less than 0.
template <class Value>
double pooled(NeighbourPooling pooling, int64_t pool, int64_t i, int64_t n, const Value& value) {
  const int64_t first = std::max<int64_t>(0, i - pool / 2), last = std::min(n - 1, i + pool / 2);
  double most = 0.0, total = 0.0;
  if (pooling == NeighbourPooling::max) {
    for (int64_t j = first; j <= last; ++j) most = std::max(most, value(j));
    return most;
  }
  for (int64_t j = first; j <= last; ++j) total += value(j);
  return total / static_cast<double>(pool);
}

}  // namespace attnlab
