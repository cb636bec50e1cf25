#include "cache/gaps.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace attnlab {

int64_t compressed_gap(int64_t gap) {
  if (gap <= 10) return gap;
  // ln(ln(x + e)) exceeds 1, 2, 3 where x exceeds e^e^1 − e, …: 12, 1,615 and 528,491,308. No gap is longer
  // than the next, e^e^4.
  static const std::array<double, 3> ends{std::exp(std::exp(1.0)) - std::numbers::e,
                                          std::exp(std::exp(2.0)) - std::numbers::e,
                                          std::exp(std::exp(3.0)) - std::numbers::e};
  const auto beyond = static_cast<double>(gap - 10);
  return 11 + std::count_if(ends.begin(), ends.end(), [&](double end) { return beyond > end; });
}

const std::vector<int64_t>& GapPositions::of(std::span<const int64_t> order) {
  slots_.clear();
  for (size_t s = 0; s < order.size(); ++s)
    if (order[s] >= 0) slots_.push_back(static_cast<int64_t>(s));
  std::sort(slots_.begin(), slots_.end(), [&](int64_t a, int64_t b) { return order[a] < order[b]; });
  positions_.assign(order.size(), 0);
  for (size_t i = 1; i < slots_.size(); ++i)
    positions_[slots_[i]] =
        positions_[slots_[i - 1]] + compressed_gap(order[slots_[i]] - order[slots_[i - 1]]);
  return positions_;
}

}  // namespace attnlab
