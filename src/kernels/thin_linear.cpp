// x·wᵀ for a decoder's weights: few rows by the thin product, many by the library, narrow weights widened on
// the way.
#include "kernels/decoder_ops.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

constexpr int64_t most_rows = 32;           // beyond, the library's packing pays
constexpr int64_t most_narrow_rows = 64;    // beyond, so does widening the weights once for all rows
constexpr int64_t outputs_a_turn = 64;      // what a thread takes: a multiple of the tile's four
constexpr int64_t least_products = 65536;   // a thread's share, below which waking it costs more
constexpr int64_t widened_bytes = 4 << 20;  // of weights at a time: few enough for the caches to hold some

/// y[:, first, last) from rows [first, last) of w.
using Part = std::function<void(int64_t first, int64_t last)>;

/// Runs the part on all threads, a multiple of outputs_a_turn rows of w each.
void for_outputs(int64_t outputs, int64_t depth, const Part& part) {
  const int64_t turns = (outputs + outputs_a_turn - 1) / outputs_a_turn;
  const int64_t grain = 1 + least_products / (outputs_a_turn * std::max<int64_t>(1, depth));
  at::parallel_for(0, turns, grain, [&](int64_t begin, int64_t end) {
    part(begin * outputs_a_turn, std::min(outputs, end * outputs_a_turn));
  });
}

void thin(const Tensor& x_RK, const Tensor& w_NK, Tensor& y_RN) {
  const int64_t rows = x_RK.size(0), depth = x_RK.size(1), outputs = w_NK.size(0);
  const float* x = x_RK.const_data_ptr<float>();
  float* y = y_RN.mutable_data_ptr<float>();
  if (w_NK.scalar_type() == torch::kFloat) {
    const float* w = w_NK.const_data_ptr<float>();
    for_outputs(outputs, depth, [&](int64_t first, int64_t last) {
      simd().thin_product(last - first, depth, w + first * depth, rows, x, y + first, outputs);
    });
    return;
  }
  const auto* w = static_cast<const uint16_t*>(w_NK.const_data_ptr());
  const auto product =
      w_NK.scalar_type() == torch::kHalf ? simd().thin_product_fp16 : simd().thin_product_bf16;
  for_outputs(outputs, depth, [&](int64_t first, int64_t last) {
    product(last - first, depth, w + first * depth, rows, x, y + first, outputs);
  });
}

/// Some rows of narrow weights at a time become fp32 and are multiplied, so that no copy of them all exists.
void widened(const Tensor& x_RK, const Tensor& w_NK, Tensor& y_RN) {
  const int64_t depth = x_RK.size(1), outputs = w_NK.size(0);
  const int64_t most = std::min(outputs, std::max<int64_t>(64, widened_bytes / (4 * depth) / 64 * 64));
  const Tensor wide = at::empty({most, depth}, x_RK.options());
  for (int64_t first = 0; first < outputs; first += most) {
    const int64_t count = std::min(most, outputs - first);
    Tensor part = wide.narrow(0, 0, count);
    part.copy_(w_NK.narrow(0, first, count));
    multiply(y_RN.narrow(1, first, count), x_RK, part.t());
  }
}

}  // namespace

bool is_narrow(const Tensor& w) {
  return w.is_cpu() && (w.scalar_type() == torch::kBFloat16 || w.scalar_type() == torch::kHalf);
}

Tensor thin_linear(const Tensor& x, const Tensor& w) {
  TORCH_CHECK(w.dim() == 2 && x.size(-1) == w.size(1), "x of ", x.sizes(), " does not go with a weight of ",
              w.sizes());
  const int64_t depth = w.size(1), outputs = w.size(0), rows = depth > 0 ? x.numel() / depth : 0;
  const bool native = is_native(x) && !wants_gradient(x) && !wants_gradient(w) && w.is_contiguous();
  const bool narrow = is_narrow(w) && x.scalar_type() == torch::kFloat;
  if (!native || rows < 1 || !(narrow || is_native(w))) return at::linear(x, narrow ? w.to(x.dtype()) : w);
  if (!narrow && rows > most_rows) return at::linear(x, w);
  const torch::NoGradGuard no_grad;
  const Tensor x_RK = x.contiguous().view({rows, depth});
  Tensor y_RN = at::empty({rows, outputs}, x.options());
  if (rows > (narrow ? most_narrow_rows : most_rows))
    widened(x_RK, w, y_RN);
  else
    thin(x_RK, w, y_RN);
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = outputs;
  return y_RN.view(shape);
}

}  // namespace attnlab
