// How SnapKV's score spreads over neighbouring tokens (Li et al. 2024, arXiv 2404.14469, §4).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

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

/// The same of all n by their largest, in log2(pool) passes that hold no branch: `values` begins and ends
/// with ⌊pool/2⌋ zeros about the n, and the n maxima come to its beginning.
inline void pool_by_max(std::vector<double>& values, int64_t pool) {
  const auto larger_of_both = [&values](int64_t apart) {
    const int64_t count = static_cast<int64_t>(values.size()) - apart;
    double* const v = values.data();
    for (int64_t i = 0; i < count; ++i) v[i] = v[i] < v[i + apart] ? v[i + apart] : v[i];
  };
  int64_t width = 1;  // of what each place is the largest of, itself and those behind it
  for (; 2 * width <= pool; width *= 2) larger_of_both(width);
  if (width < pool) larger_of_both(pool - width);
}

}  // namespace attnlab
