#include "cache/gaps.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace attnlab {

int64_t compressed_gap(int64_t gap) {
  if (gap <= 10) return gap;
  const double beyond = static_cast<double>(gap - 10);
  return static_cast<int64_t>(std::ceil(10.0 + std::log(std::log(beyond + std::numbers::e))));
}

std::vector<int64_t> compressed_positions(std::span<const int64_t> order) {
  std::vector<int64_t> slots, positions(order.size(), 0);
  for (size_t s = 0; s < order.size(); ++s)
    if (order[s] >= 0) slots.push_back(static_cast<int64_t>(s));
  std::sort(slots.begin(), slots.end(), [&](int64_t a, int64_t b) { return order[a] < order[b]; });
  for (size_t i = 1; i < slots.size(); ++i)
    positions[slots[i]] = positions[slots[i - 1]] + compressed_gap(order[slots[i]] - order[slots[i - 1]]);
  return positions;
}

}  // namespace attnlab
