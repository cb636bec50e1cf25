// Weights in double, for the rare step at which fp32 does not say whose weight is the smallest.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace attnlab {

/// Means below e^this may lack more than a millionth of themselves, which a head gave and fp32 took for 0
/// (weight_scale.h).
inline constexpr double open_exponent = -140.0;

/// Whether a seen slot has so small a mean (times weight_scale) that its order among the smallest is open.
bool order_is_open(int64_t n, const float* bias, const float* scaled_mean);

/// Adds `share` times one query's softmax weights over the slots whose bias is 0. q is not scaled; key(s) is
/// a row [d].
template <class Key>
void add_exact_weights(int64_t n, int64_t d, const float* bias, const float* q, double share, const Key& key,
                       double* mean) {
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
  for (int64_t s = 0; s < n; ++s)
    if (bias[s] == 0) mean[s] += share * logits[s] / total;
}

}  // namespace attnlab
