#include "metrics/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/error.h"

namespace attnlab {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Proportion accuracy(int64_t correct, int64_t n) {
  ensure(0 <= correct && correct <= n, "0 <= {} correct <= {} examples", correct, n);
  if (n == 0) return {kNaN, kNaN, 0};
  const double p = static_cast<double>(correct) / static_cast<double>(n);
  return {p, std::sqrt(p * (1 - p) / static_cast<double>(n)), n};
}

Proportion accuracy(std::span<const int32_t> predictions, std::span<const int32_t> labels) {
  ensure(predictions.size() == labels.size(), "as many predictions ({}) as labels ({})", predictions.size(),
         labels.size());
  int64_t correct = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) correct += predictions[i] == labels[i];
  return accuracy(correct, static_cast<int64_t>(labels.size()));
}

Spread spread(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  if (values.empty()) return {kNaN, kNaN, kNaN, 0};
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() == 1) return {mean, kNaN, kNaN, 1};
  double squares = 0;  // two passes: the values may be large beside their spread
  for (const double v : values) squares += (v - mean) * (v - mean);
  const double sd = std::sqrt(squares / (n - 1));
  return {mean, sd, sd / std::sqrt(n), static_cast<int64_t>(values.size())};
}

int32_t majority_class(std::span<const int32_t> labels, int32_t classes) {
  std::vector<int64_t> counts(static_cast<std::size_t>(classes));
  for (const int32_t label : labels) {
    ensure(0 <= label && label < classes, "labels below {}, not {}", classes, label);
    ++counts[static_cast<std::size_t>(label)];
  }
  return static_cast<int32_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
}

}  // namespace attnlab
