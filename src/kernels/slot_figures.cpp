#include "kernels/slot_figures.h"

#include <cmath>

#include "kernels/simd/simd.h"
#include "kernels/weight_scale.h"

namespace attnlab {

void dot_rows(int64_t n, int64_t d, const StoredRows& m, int64_t rows, const float* x, float* y,
              int64_t stride) {
  if (m.bf16)
    simd().thin_product_bf16(n, d, m.bf16, rows, x, y, stride);
  else
    simd().thin_product(n, d, m.fp32, rows, x, y, stride);
}

void add_output_changes(const GroupWeights& group, int64_t d, const StoredRows& v, const float* squares,
                        const float* y, float share, float* dots, float* out) {
  const int64_t n = group.slots;
  dot_rows(n, d, v, group.rows, y, dots, n);
  for (int64_t r = 0; r < group.rows; ++r) {
    float own = 0;
    for (int64_t i = 0; i < d; ++i) own += y[r * d + i] * y[r * d + i];
    simd().output_changes(n, share, group.inverse[r], group.weights + r * group.stride, squares, dots + r * n,
                          own, out);
  }
}

void invert_lengths(int64_t slots, const float* bias, float* lengths) {
  for (int64_t s = 0; s < slots; ++s)
    lengths[s] = bias[s] == 0 && lengths[s] > 0 ? 1.0f / std::sqrt(lengths[s]) : 0.0f;
}

void add_cosines(int64_t slots, int64_t d, const float* sum, const float* inverse, const float* dots,
                 float share, float* out) {
  float square = 0;
  for (int64_t i = 0; i < d; ++i) square += sum[i] * sum[i];
  const float each = square > 0 ? share * weight_scale / std::sqrt(square) : 0.0f;
  for (int64_t s = 0; s < slots; ++s) out[s] += each * inverse[s] * dots[s];
}

}  // namespace attnlab
