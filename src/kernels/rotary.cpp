#include "kernels/rotary.h"

#include "kernels/native.h"
#include "kernels/rotary_table.h"

namespace attnlab {

Tensor rotate_pairs(const Tensor& x_BTHd, const Tensor& positions_BT, const Tensor& cosines,
                    const Tensor& sines) {
  const Tensor x = x_BTHd.contiguous(), positions = positions_BT.contiguous();
  Tensor y = at::empty_like(x);
  const int64_t heads = x.size(2), half = x.size(3) / 2;
  const int64_t* at = positions.const_data_ptr<int64_t>();
  const RotaryTable table{cosines.const_data_ptr<float>(), sines.const_data_ptr<float>(), half};
  const float* in = x.const_data_ptr<float>();
  float* out = y.mutable_data_ptr<float>();
  for_rows(x.size(0) * x.size(1), heads * half * 2, [&](int64_t first, int64_t rows, int) {
    for (int64_t row = first; row < first + rows; ++row)
      for (int64_t h = row * heads; h < (row + 1) * heads; ++h)
        table.turn(at[row], in + h * 2 * half, out + h * 2 * half);
  });
  return y;
}

}  // namespace attnlab
