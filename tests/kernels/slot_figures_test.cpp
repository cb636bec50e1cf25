// Figures of states beside their weights, against their definitions: an output computed again without a
// state, and Torch's cosine.
#include "kernels/slot_figures.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>

#include "kernels/simd/simd.h"
#include "kernels/weight_scale.h"

namespace attnlab {
namespace {

using torch::Tensor;

/// One group of query heads over n states of d numbers.
struct Group {
  int64_t n, d, rows;
  Tensor weights_RS, v_Sd, y_Rd;  ///< the weights divided; fp32
};

Group make_group(int64_t n, int64_t d, int64_t rows, float sharpness) {
  torch::manual_seed(n * d + rows);
  Group g{n, d, rows, {}, torch::randn({n, d}), {}};
  g.weights_RS = (sharpness * torch::randn({rows, n})).softmax(-1);
  g.y_Rd = g.weights_RS.matmul(g.v_Sd);
  return g;
}

/// ‖y − y without s‖ summed over the heads, in double: the other weights are divided by what they sum to.
Tensor changes_by_leaving_out(const Group& g) {
  Tensor w = g.weights_RS.to(torch::kDouble);
  w = w / w.sum(1, true);  // what rounding to fp32 left would be larger than small changes
  const Tensor v = g.v_Sd.to(torch::kDouble), y = w.matmul(v);
  Tensor changes_S = torch::zeros({g.n}, torch::kDouble);
  for (int64_t s = 0; s < g.n; ++s) {
    Tensor others = w.clone();
    others.select(1, s).zero_();
    others = others / others.sum(1, true);
    changes_S[s] = (others.matmul(v) - y).norm(2, 1).sum();
  }
  return changes_S;
}

Tensor changes_of(const Group& g, const StoredRows& v) {
  // As the kernels have them: undivided, and their inverse sums beside.
  const Tensor weights = g.weights_RS * 3.0f * weight_scale,
               inverse = torch::full({g.rows}, 1.0f / (3.0f * weight_scale));
  Tensor squares = torch::zeros({g.n}), dots = torch::zeros({g.rows, g.n}), out = torch::zeros({g.n});
  if (v.bf16)
    simd().row_squares_bf16(g.n, g.d, v.bf16, squares.mutable_data_ptr<float>());
  else
    simd().row_squares(g.n, g.d, v.fp32, squares.mutable_data_ptr<float>());
  add_output_changes({g.n, g.rows, weights.const_data_ptr<float>(), g.n, inverse.const_data_ptr<float>()},
                     g.d, v, squares.const_data_ptr<float>(), g.y_Rd.const_data_ptr<float>(), 1.0f,
                     dots.mutable_data_ptr<float>(), out.mutable_data_ptr<float>());
  return out.to(torch::kDouble) / static_cast<double>(weight_scale);
}

TEST(SlotFigures, TheChangeIsThatOfTheOutputWithoutTheState) {
  for (const auto& [n, d, rows] : {std::tuple{40, 64, 3}, {7, 10, 1}, {130, 128, 8}})
    for (const float sharpness : {0.1f, 1.0f, 4.0f}) {
      const Group g = make_group(n, d, rows, sharpness);
      const Tensor expected = changes_by_leaving_out(g);
      const Tensor got = changes_of(g, {.fp32 = g.v_Sd.const_data_ptr<float>()});
      // Where a weight is nearly 1, 1 − p and ‖v − y‖ are differences of nearly equal numbers, the second of
      // squares.
      const Tensor rest = 1 - std::get<0>(g.weights_RS.to(torch::kDouble).max(0));
      EXPECT_LT(((got - expected).abs() / expected * rest * rest).max().item<double>(), 2e-6)
          << n << " " << d << " " << rows << " " << sharpness;
    }
}

TEST(SlotFigures, TheChangeOfValuesInBf16) {
  Group g = make_group(40, 64, 3, 1.0f);
  const Tensor bf16 = g.v_Sd.to(torch::kBFloat16);
  g.v_Sd = bf16.to(torch::kFloat);
  g.y_Rd = g.weights_RS.matmul(g.v_Sd);
  const auto* bits = reinterpret_cast<const uint16_t*>(bf16.const_data_ptr());
  EXPECT_TRUE(torch::allclose(changes_of(g, {.bf16 = bits}), changes_by_leaving_out(g), 1e-4, 1e-9));
}

TEST(SlotFigures, AStateWithAllTheWeightIsNoReasonForInfinity) {
  Group g = make_group(16, 16, 2, 1.0f);
  g.weights_RS.zero_().select(1, 5).fill_(1);
  g.y_Rd = g.weights_RS.matmul(g.v_Sd);
  EXPECT_TRUE(changes_of(g, {.fp32 = g.v_Sd.const_data_ptr<float>()}).isfinite().all().item<bool>());
}

TEST(SlotFigures, CosinesWithTheMeanOfNormalisedKeys) {
  torch::manual_seed(1);
  const int64_t n = 64, d = 24;
  const Tensor k_Sd = torch::randn({n, d}) * torch::rand({n, 1}) * 5, seen_S = torch::rand({n}).gt(0.3);
  k_Sd[7].zero_();  // no direction: neither in the mean nor like it
  const Tensor bias_S = torch::where(seen_S, 0.0f, -std::numeric_limits<float>::infinity());
  const Tensor seen_Kd = k_Sd.index({seen_S}).to(torch::kDouble);
  const Tensor mean_1d =
      torch::nn::functional::normalize(seen_Kd, torch::nn::functional::NormalizeFuncOptions().p(2).dim(1))
          .mean(0, true);
  const Tensor expected = torch::cosine_similarity(seen_Kd, mean_1d, 1);

  Tensor panels = k_Sd.view({n / key_panel, key_panel, d}).transpose(1, 2).contiguous(),
         inverse = torch::empty({n});
  Tensor sum = torch::empty({d}), dots = torch::empty({n}), out = torch::zeros({n});
  simd().row_squares(n, d, k_Sd.const_data_ptr<float>(), inverse.mutable_data_ptr<float>());
  float* const lengths = inverse.mutable_data_ptr<float>();
  std::transform(lengths, lengths + n, lengths, inverse_length);
  inverse_lengths_of_live(n, bias_S.const_data_ptr<float>(), lengths, lengths);
  simd().panel_sum(n, d, panels.const_data_ptr<float>(), inverse.const_data_ptr<float>(),
                   sum.mutable_data_ptr<float>());
  simd().panel_dots(n, d, panels.const_data_ptr<float>(), sum.const_data_ptr<float>(),
                    dots.mutable_data_ptr<float>());
  add_cosines(n, d, sum.const_data_ptr<float>(), inverse.const_data_ptr<float>(),
              dots.const_data_ptr<float>(), 1.0f, out.mutable_data_ptr<float>());
  const Tensor cosines = (out.to(torch::kDouble) / static_cast<double>(weight_scale)).index({seen_S});
  EXPECT_TRUE(torch::allclose(cosines, expected, 1e-5, 1e-6));
}

}  // namespace
}  // namespace attnlab
