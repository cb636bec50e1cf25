// Weights in double, for the rare step at which fp32 does not say whose weight is the smallest.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/slot_figures.h"
#include "kernels/weight_scale.h"

namespace attnlab {

/// Means below e^this may lack more than a millionth of themselves, which a head gave and fp32 took for 0
/// (weight_scale.h).
inline constexpr double open_exponent = -140.0;

/// Whether a seen slot has so small a mean (times weight_scale) that its order among the smallest is open.
bool order_is_open(int64_t n, const float* bias, const float* scaled_mean);

/// One query's softmax weights over the slots whose bias is 0; 0 elsewhere. q is not scaled; key(s) is a row
/// [d].
template <class Key>
std::vector<double> exact_weights(int64_t n, int64_t d, const float* bias, const float* q, const Key& key) {
  std::vector<double> logits(static_cast<size_t>(n), -std::numeric_limits<double>::infinity());
  double top = -std::numeric_limits<double>::infinity(), total = 0;
  for (int64_t s = 0; s < n; ++s) {
    if (bias[s] != 0) continue;
    const float* row = key(s);
    double sum = 0;
    for (int64_t i = 0; i < d; ++i) sum += static_cast<double>(q[i]) * static_cast<double>(row[i]);
    logits[s] = sum / std::sqrt(static_cast<double>(d));
    top = std::max(top, logits[s]);
  }
  for (double& x : logits) total += x = std::exp(x - top);
  for (double& x : logits) x /= total;
  return logits;
}

/// Adds `share` times what each slot's state changes of a query's output (slot_figures.h). value(s) is a row
/// [d].
template <class Value>
void add_exact_changes(const std::vector<double>& weights, int64_t d, double share, const Value& value,
                       double* changes) {
  std::vector<double> y(static_cast<size_t>(d), 0.0);
  for (size_t s = 0; s < weights.size(); ++s) {
    if (weights[s] == 0) continue;
    const float* row = value(static_cast<int64_t>(s));
    for (int64_t i = 0; i < d; ++i) y[i] += weights[s] * static_cast<double>(row[i]);
  }
  for (size_t s = 0; s < weights.size(); ++s) {
    if (weights[s] == 0) continue;
    const float* row = value(static_cast<int64_t>(s));
    double square = 0;
    for (int64_t i = 0; i < d; ++i) square += (row[i] - y[i]) * (row[i] - y[i]);
    const double rest = std::max(1.0 - weights[s], static_cast<double>(least_rest));
    changes[s] += share * weights[s] / rest * std::sqrt(square);
  }
}

/// Adds `share` times the cosine between each seen slot's key and that of the slot `newest`; nothing where
/// either has no length. key(s) is a row [d].
template <class Key>
void add_exact_cosines(int64_t n, int64_t d, const float* bias, int64_t newest, double share, const Key& key,
                       double* cosines) {
  const auto dot = [&](const float* x, const float* y) {
    double sum = 0;
    for (int64_t i = 0; i < d; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
    return sum;
  };
  const float* row = key(newest);
  const std::vector<float> with(row, row + d);
  const double square = dot(row, row);
  for (int64_t s = 0; s < n; ++s) {
    if (bias[s] != 0) continue;
    row = key(s);
    const double lengths = std::sqrt(square * dot(row, row));
    if (lengths > 0) cosines[s] += share * dot(with.data(), row) / lengths;
  }
}

/// What a decision is made by, by slot: means of weights, and figures where decisions rest on weights too.
struct ExactFigures {
  std::vector<double> mean, figures;
  bool changes;  ///< the figures are changes of the output

  ExactFigures(int64_t slots, SlotFigure figure) : mean(static_cast<size_t>(slots), 0.0) {
    changes = figure == SlotFigure::output_change;
    if (changes || figure == SlotFigure::newest_cosine) figures.resize(mean.size(), 0.0);
  }
  /// Adds `share` times what one query makes of the slots; d, bias, q, key and value as above.
  template <class Key, class Value>
  void add(int64_t d, const float* bias, const float* q, double share, const Key& key, const Value& value) {
    const std::vector<double> weights = exact_weights(static_cast<int64_t>(mean.size()), d, bias, q, key);
    for (size_t s = 0; s < mean.size(); ++s) mean[s] += share * weights[s];
    if (changes) add_exact_changes(weights, d, share, value, figures.data());
  }
  /// Adds `share` times what one key-value head's keys make of the slots, where cosines are asked for.
  template <class Key>
  void add_cosines(int64_t d, const float* bias, int64_t newest, double share, const Key& key) {
    add_exact_cosines(static_cast<int64_t>(mean.size()), d, bias, newest, share, key, figures.data());
  }
};

}  // namespace attnlab
