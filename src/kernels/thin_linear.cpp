// x·wᵀ for a decoder's weights, narrow ones widened on the way: few rows by the thin product, dozens turned
// over, many by the library's.
#include <memory>

#include "kernels/decoder_ops.h"
#include "kernels/linear.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

// Up to so many rows the thin product is the faster one (fp32 from memory, one and two threads. Sapphire
// Rapids beside MKL: 67 rows 1.4 times as fast, 132 1.2 and 1.05 times, 192 1.1 times, 512 0.9. Zen 4 beside
// oneDNN: 32 rows 1.3 to 4 times, 128 1.0 to 1.1, 192 equal, 512 0.96).
constexpr int64_t most_rows = 192;
// From so many rows on they are turned over; from fewer where rows are long, which the thin product reads
// from the second cache for every tile (Sapphire Rapids, bf16 and fp32, two threads: 20 rows of 4,096 and
// more are equal, 25 1.25 times as fast, 64 1.9 times; of 576 and 1,536 44 rows are equal).
constexpr int64_t least_turned = 48, least_turned_deep = 20, deep = 4096;
// Few, so that threads get equal shares; a multiple of what any tile takes, so that no sum depends on them.
constexpr int64_t outputs_a_turn = 24;
constexpr int64_t least_products = 65536;           // a thread's share, below which waking it costs more
constexpr int64_t most_widened = int64_t{1} << 22;  // weights that are widened at a time for the library

/// A weight [N, K], and where x times its rows goes.
struct Product {
  const Tensor& w_NK;
  Tensor y_RN;
};
using Products = c10::SmallVector<Product, 3>;

/// x as turned_product reads it; null where its rows are too few.
std::unique_ptr<float[]> turned(const Tensor& x_RK) {
  const int64_t rows = x_RK.size(0), depth = x_RK.size(1);
  if (rows < (depth < deep ? least_turned : least_turned_deep)) return nullptr;
  const int64_t numbers = simd().turned_numbers(rows, depth);
  std::unique_ptr<float[]> all(new float[static_cast<size_t>(numbers)]);
  simd().turn_rows(rows, depth, x_RK.const_data_ptr<float>(), all.get());
  return all;
}

/// y[:, first, last) = x·wᵀ of rows [first, last) of w. `turned`: of x, or null.
void multiply_rows(const Tensor& x_RK, const float* turned, const Product& product, int64_t first,
                   int64_t last) {
  const auto& [w_NK, y_RN] = product;
  const int64_t rows = x_RK.size(0), depth = x_RK.size(1), outputs = w_NK.size(0);
  const float* x = x_RK.const_data_ptr<float>();
  float* y = y_RN.mutable_data_ptr<float>() + first;
  const auto multiply = [&](auto* w, auto* thin_product, auto* turned_product) {
    if (turned == nullptr) return thin_product(last - first, depth, w + first * depth, rows, x, y, outputs);
    turned_product(last - first, depth, w + first * depth, rows, x, turned, y, outputs);
  };
  if (w_NK.scalar_type() == torch::kFloat)
    return multiply(w_NK.const_data_ptr<float>(), simd().thin_product, simd().turned_product);
  const auto* w = static_cast<const uint16_t*>(w_NK.const_data_ptr());
  if (w_NK.scalar_type() == torch::kHalf)
    return multiply(w, simd().thin_product_fp16, simd().turned_product_fp16);
  multiply(w, simd().thin_product_bf16, simd().turned_product_bf16);
}

/// All products in one go over all threads, each thread a multiple of outputs_a_turn rows of a weight: a
/// second go costs a barrier, of which a decoding step has hundreds.
void thin(const Tensor& x_RK, const Products& products) {
  const int64_t depth = x_RK.size(1);
  const auto turns_of = [](const Product& p) {
    return (p.w_NK.size(0) + outputs_a_turn - 1) / outputs_a_turn;
  };
  const std::unique_ptr<float[]> turned_x = turned(x_RK);
  int64_t turns = 0;
  for (const Product& p : products) turns += turns_of(p);
  const int64_t grain = 1 + least_products / (outputs_a_turn * std::max<int64_t>(1, depth));
  at::parallel_for(0, turns, grain, [&](int64_t begin, int64_t end) {
    int64_t before = 0;
    for (const Product& p : products) {
      const int64_t from = std::max<int64_t>(begin - before, 0), to = std::min(end - before, turns_of(p));
      if (from < to)
        multiply_rows(x_RK, turned_x.get(), p, from * outputs_a_turn,
                      std::min(p.w_NK.size(0), to * outputs_a_turn));
      before += turns_of(p);
    }
  });
}

/// Narrow weights widened a few megabytes at a time, each times all rows.
Tensor widened_product(const Tensor& x_RK, const Tensor& w_NK) {
  const int64_t outputs = w_NK.size(0), most = std::max<int64_t>(1, most_widened / w_NK.size(1));
  if (outputs <= most) return product(x_RK, w_NK.to(torch::kFloat));
  Tensor y_RN = at::empty({x_RK.size(0), outputs}, x_RK.options());
  for (int64_t first = 0; first < outputs; first += most) {
    const int64_t count = std::min(most, outputs - first);
    y_RN.narrow(1, first, count).copy_(product(x_RK, w_NK.narrow(0, first, count).to(torch::kFloat)));
  }
  return y_RN;
}

}  // namespace

bool is_narrow(const Tensor& w) {
  return w.is_cpu() && (w.scalar_type() == torch::kBFloat16 || w.scalar_type() == torch::kHalf);
}

std::vector<Tensor> thin_linears(const Tensor& x, at::ArrayRef<Tensor> weights) {
  const int64_t depth = x.size(-1), rows = depth > 0 ? x.numel() / depth : 0;
  const bool native = is_native(x) && !wants_gradient(x) && rows >= 1;
  std::vector<int64_t> shape = x.sizes().vec();
  std::vector<Tensor> all;
  Products few;
  Tensor x_RK;
  for (const Tensor& w : weights) {
    TORCH_CHECK(w.dim() == 2 && depth == w.size(1), "x of ", x.sizes(), " does not go with a weight of ",
                w.sizes());
    const bool narrow = is_narrow(w) && x.scalar_type() == torch::kFloat;
    const bool own = native && !wants_gradient(w) && w.is_contiguous() && (narrow || is_native(w));
    if (!own) {
      all.push_back(affine(x, narrow ? w.to(x.dtype()) : w));
      continue;
    }
    const torch::NoGradGuard no_grad;
    if (!x_RK.defined()) x_RK = x.contiguous().view({rows, depth});
    Tensor y_RN;
    if (rows <= most_rows) {
      y_RN = at::empty({rows, w.size(0)}, x.options());
      few.push_back({w, y_RN});
    } else {
      y_RN = narrow ? widened_product(x_RK, w) : product(x_RK, w);
    }
    shape.back() = w.size(0);
    all.push_back(y_RN.view(shape));
  }
  if (!few.empty()) thin(x_RK, few);
  return all;
}

Tensor thin_linear(const Tensor& x, const Tensor& w) { return std::move(thin_linears(x, w)[0]); }

}  // namespace attnlab
