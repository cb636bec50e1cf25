#include "kernels/rotary.h"

#include "kernels/native.h"

namespace attnlab {

Tensor rotate_pairs(const Tensor& x_BTHd, const Tensor& positions_BT, const Tensor& cosines,
                    const Tensor& sines) {
  const Tensor x = x_BTHd.contiguous(), positions = positions_BT.contiguous();
  Tensor y = at::empty_like(x);
  const int64_t heads = x.size(2), half = x.size(3) / 2;
  const int64_t* at = positions.const_data_ptr<int64_t>();
  const float *c = cosines.const_data_ptr<float>(), *s = sines.const_data_ptr<float>();
  const float* in = x.const_data_ptr<float>();
  float* out = y.mutable_data_ptr<float>();
  for_rows(x.size(0) * x.size(1), heads * half * 2, [&](int64_t first, int64_t rows, int) {
    for (int64_t row = first; row < first + rows; ++row) {
      const float *cos_row = c + at[row] * half, *sin_row = s + at[row] * half;
      for (int64_t h = row * heads; h < (row + 1) * heads; ++h) {
        const float *a = in + h * 2 * half, *b = a + half;
        float* to = out + h * 2 * half;
        for (int64_t i = 0; i < half; ++i) {
          to[i] = a[i] * cos_row[i] - b[i] * sin_row[i];
          to[i + half] = b[i] * cos_row[i] + a[i] * sin_row[i];
        }
      }
    }
  });
  return y;
}

}  // namespace attnlab
