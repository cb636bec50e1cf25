#include "kernels/thin_linear.h"

#include "kernels/native.h"

namespace attnlab {
namespace {

constexpr int64_t most_rows = 32;          // beyond, the library's packing pays
constexpr int64_t outputs_a_turn = 64;     // what a thread takes: a multiple of the tile's four
constexpr int64_t least_products = 65536;  // a thread's share, below which waking it costs more

}  // namespace

Tensor thin_linear(const Tensor& x, const Tensor& w) {
  const int64_t depth = w.size(1), outputs = w.size(0), rows = depth > 0 ? x.numel() / depth : 0;
  const bool wants_gradient = at::GradMode::is_enabled() && (x.requires_grad() || w.requires_grad());
  if (rows < 1 || rows > most_rows || wants_gradient || !is_native(x) || !is_native(w) || !w.is_contiguous())
    return at::linear(x, w);
  const Tensor in = x.contiguous();
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = outputs;
  Tensor y = at::empty(shape, x.options());
  const float *from = w.const_data_ptr<float>(), *xs = in.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  const int64_t turns = (outputs + outputs_a_turn - 1) / outputs_a_turn;
  const int64_t grain = 1 + least_products / (outputs_a_turn * depth);
  at::parallel_for(0, turns, grain, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * outputs_a_turn, last = std::min(outputs, end * outputs_a_turn);
    simd().thin_product(last - first, depth, from + first * depth, rows, xs, to + first, outputs);
  });
  return y;
}

}  // namespace attnlab
