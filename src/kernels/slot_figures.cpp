#include "kernels/slot_figures.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/simd/simd.h"
#include "kernels/weight_scale.h"

namespace attnlab {
namespace {

/// p/(1 − p)·‖v − y‖ of a state with more than half of a row's weight, where v − y and 1 − p would be what is
/// left of near numbers: with y' the output of the others, v − y = (1 − p)(v − y'). x: the row's weights,
/// unscaled; others [S]: to compute in.
float change_of_heavy(int64_t heavy, int64_t n, int64_t d, const float* x, float inverse, const StoredRows& v,
                      float* others) {
  double rest = 0;
  for (int64_t s = 0; s < n; ++s) rest += others[s] = s == heavy ? 0.0f : inverse * x[s];
  if (rest == 0) return 0;  // it is the only one: nothing can take its place
  std::vector<float> space(static_cast<size_t>(2 * d));
  float* const sum = space.data();
  weigh_rows(n, d, v, 1, others, n, sum);
  const float* const own = (v + heavy * d).wide(d, sum + d);
  double square = 0;
  for (int64_t i = 0; i < d; ++i) {
    const double difference = own[i] - sum[i] / rest;
    square += difference * difference;
  }
  const double p = 1 - rest;
  return static_cast<float>(p * rest / std::max(rest, static_cast<double>(least_rest)) * std::sqrt(square));
}

}  // namespace

void dot_rows(int64_t n, int64_t d, const StoredRows& m, int64_t rows, const float* x, float* y,
              int64_t stride) {
  if (m.bf16)
    simd().thin_product_bf16(n, d, m.bf16, rows, x, y, stride);
  else
    simd().thin_product(n, d, m.fp32, rows, x, y, stride);
}

void weigh_rows(int64_t n, int64_t d, const StoredRows& m, int64_t rows, const float* p, int64_t stride,
                float* y) {
  if (m.bf16)
    simd().weighted_sums_bf16(n, d, rows, p, stride, m.bf16, y);
  else
    simd().weighted_sums(n, d, rows, p, stride, m.fp32, y);
}

void add_output_changes(const GroupWeights& group, int64_t d, const StoredRows& v, const float* squares,
                        const float* y, float share, float* dots, float* out) {
  const int64_t n = group.slots;
  dot_rows(n, d, v, group.rows, y, dots, n);
  for (int64_t r = 0; r < group.rows; ++r) {
    float own = 0;
    for (int64_t i = 0; i < d; ++i) own += y[r * d + i] * y[r * d + i];
    const float* const weights = group.weights + r * group.stride;
    const int64_t heavy =
        simd().output_changes(n, share, group.inverse[r], weights, squares, dots + r * n, own, out);
    if (heavy >= 0)
      out[heavy] +=
          share * weight_scale * change_of_heavy(heavy, n, d, weights, group.inverse[r], v, dots + r * n);
  }
}

float inverse_length(float square) { return square > 0 ? 1.0f / std::sqrt(square) : 0.0f; }

void inverse_lengths_of_live(int64_t slots, const float* bias, const float* inverse, float* out) {
  for (int64_t s = 0; s < slots; ++s) out[s] = bias[s] == 0 ? inverse[s] : 0.0f;
}

void add_cosines(int64_t slots, int64_t d, const float* x, const float* inverse, const float* dots,
                 float share, float* out) {
  float square = 0;
  for (int64_t i = 0; i < d; ++i) square += x[i] * x[i];
  const float each = square > 0 ? share * weight_scale / std::sqrt(square) : 0.0f;
  for (int64_t s = 0; s < slots; ++s) out[s] += each * inverse[s] * dots[s];
}

}  // namespace attnlab
