// x·wᵀ for a decoder's weights, narrow ones widened on the way: few rows by the thin product, many by the
// thick one or the library's.
#include <memory>

#include "kernels/decoder_ops.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

// Up to so many rows the thin product is the faster one (measured on Zen 4, fp32 and bf16: 160-178 GFLOP/s at
// 36 to 136 rows, where the thick one reaches 116-145 and the library's less); beyond, laying weights out
// pays.
constexpr int64_t most_rows = 128;
constexpr int64_t most_rows_before_library = 32;  // where the library is the better one
constexpr int64_t outputs_a_turn = 16;            // few, so that threads get equal shares; the tile has four
constexpr int64_t least_products = 65536;         // a thread's share, below which waking it costs more
constexpr int64_t least_part = 128;               // rows for which a panel of weights is laid out

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

/// The library's product is the better one on processors that it was made for.
bool is_slow_in_the_library() {
#if defined(__x86_64__)
  static const bool is_amd = __builtin_cpu_is("amd");
  return is_amd;
#else
  return false;
#endif
}

void lay_out(const Tensor& w_NK, int64_t first, int64_t count, float* panel) {
  const int64_t depth = w_NK.size(1);
  if (w_NK.scalar_type() == torch::kFloat)
    return simd().thick_panel(count, depth, w_NK.const_data_ptr<float>() + first * depth, panel);
  const auto* w = static_cast<const uint16_t*>(w_NK.const_data_ptr()) + first * depth;
  (w_NK.scalar_type() == torch::kHalf ? simd().thick_panel_fp16 : simd().thick_panel_bf16)(count, depth, w,
                                                                                           panel);
}

/// Panels of w, each times all rows, or times a part of them where there are few panels for the threads. No
/// copy of all weights exists.
void thick(const Tensor& x_RK, const Tensor& w_NK, Tensor& y_RN) {
  const int64_t rows = x_RK.size(0), depth = x_RK.size(1), outputs = w_NK.size(0),
                width = simd().thick_columns;
  const int64_t panels = (outputs + width - 1) / width, wanted = 8 * at::get_num_threads();
  const int64_t parts = std::clamp<int64_t>(panels >= wanted ? 1 : wanted / panels, 1, 1 + rows / least_part);
  const float* x = x_RK.const_data_ptr<float>();
  float* y = y_RN.mutable_data_ptr<float>();
  at::parallel_for(0, panels * parts, 1, [&](int64_t begin, int64_t end) {
    const std::unique_ptr<float[]> panel(new float[static_cast<size_t>(depth * width)]);
    int64_t laid_out = -1;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i / parts * width, count = std::min(width, outputs - first);
      const int64_t row = i % parts * rows / parts, end_row = (i % parts + 1) * rows / parts;
      if (laid_out != first) lay_out(w_NK, first, count, panel.get());
      laid_out = first;
      simd().thick_product(end_row - row, depth, x + row * depth, depth, panel.get(), count,
                           y + row * outputs + first, outputs);
    }
  });
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
  if (!narrow && rows > most_rows_before_library && !is_slow_in_the_library()) return at::linear(x, w);
  const torch::NoGradGuard no_grad;
  const Tensor x_RK = x.contiguous().view({rows, depth});
  Tensor y_RN = at::empty({rows, outputs}, x.options());
  if (rows > most_rows)
    thick(x_RK, w, y_RN);
  else
    thin(x_RK, w, y_RN);
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = outputs;
  return y_RN.view(shape);
}

}  // namespace attnlab
