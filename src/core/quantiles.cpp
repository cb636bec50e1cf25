#include "core/quantiles.h"

#include <algorithm>

#include "core/error.h"

namespace attnlab {

double median(std::vector<double> values) {
  ensure(!values.empty(), "values to take the median of");
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

double quantile(std::vector<double> values, double share) {
  ensure(!values.empty() && share >= 0 && share <= 1, "values, and a share of them");
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

}  // namespace attnlab
