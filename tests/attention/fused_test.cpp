// Torch's scaled_dot_product_attention with what hides padding, in every type.
#include "attention/fused.h"

#include <gtest/gtest.h>

#include <cmath>

namespace attnlab {
namespace {

struct TypeAndTolerance {
  torch::Dtype type;
  double tolerance;
};

class FusedAttention : public testing::TestWithParam<TypeAndTolerance> {
 protected:
  static constexpr int64_t B = 3, H = 2, N = 5, M = 12, d = 8;

  FusedAttention() {
    torch::manual_seed(3);
    for (Tensor* x : {&q, &k, &v})
      *x = torch::randn({B, x == &q ? N : M, H * d}, torch::kDouble).to(GetParam().type);
    padding = torch::zeros({B, M}, torch::kBool);
    padding[1].narrow(0, 7, 5).fill_(true);
    padding[2].fill_(true);  // nothing to read
  }

  /// In double, over what may be read alone, by Torch's operators one by one.
  Tensor expected(int64_t b, const Tensor& readable) const {
    const auto heads = [](const Tensor& x) {
      return x.to(torch::kDouble).unflatten(-1, {H, d}).transpose(0, 1);
    };
    const Tensor keys = heads(k[b].index({readable})), values = heads(v[b].index({readable}));
    const Tensor scores = heads(q[b]).matmul(keys.transpose(1, 2)) / std::sqrt(double{d});
    return scores.softmax(-1).matmul(values).transpose(0, 1).flatten(1);
  }

  static double difference(const Tensor& a, const Tensor& b) {
    return (a.to(torch::kDouble) - b.to(torch::kDouble)).abs().max().item<double>();
  }

  Tensor q, k, v, padding;
};

TEST_P(FusedAttention, ReadsWhatIsNotPadding) {
  const Tensor y = fused_attention(q, k, v, H, padding, 0.0);
  EXPECT_EQ(y.scalar_type(), GetParam().type);
  for (int64_t b = 0; b < 2; ++b)
    EXPECT_LT(difference(y[b], expected(b, padding[b].logical_not())), GetParam().tolerance) << b;
}

TEST_P(FusedAttention, PaddingMayHoldAnything) {
  const Tensor y = fused_attention(q, k, v, H, padding, 0.0);
  for (const double scale : {1e-3, 20.0}) {
    const Tensor hidden = padding.unsqueeze(-1);
    const Tensor other_k = torch::where(hidden, k * scale, k), other_v = torch::where(hidden, v * scale, v);
    EXPECT_TRUE(
        fused_attention(q, other_k, other_v, H, padding, 0.0).narrow(0, 0, 2).equal(y.narrow(0, 0, 2)));
  }
}

TEST_P(FusedAttention, ARowWithNothingToReadIsTheMean) {
  const Tensor y = fused_attention(q, k, v, H, padding, 0.0);
  EXPECT_TRUE(y.isfinite().all().item<bool>());
  if (GetParam().type == torch::kHalf) return;  // whose hidden_score keeps some bits of a score
  const Tensor mean = v[2].to(torch::kDouble).mean(0, true).expand({N, -1});
  EXPECT_LT(difference(y[2], mean), GetParam().tolerance);
}

TEST_P(FusedAttention, GradientsAreFinite) {
  for (Tensor* x : {&q, &k, &v}) x->requires_grad_();
  fused_attention(q, k, v, H, padding, 0.0).to(torch::kFloat).square().sum().backward();
  for (const Tensor& x : {q, k, v}) EXPECT_TRUE(x.grad().isfinite().all().item<bool>());
  EXPECT_EQ(k.grad()[1].narrow(0, 7, 5).abs().max().item<double>(), 0.0);
}

TEST_P(FusedAttention, WhatHidesIsFarFromTheTypesEnds) {
  const double hides = hidden_score(GetParam().type), log2_e = 1.4426950408889634;
  const Tensor in_type = torch::full({2}, hides * log2_e, GetParam().type) + hides * 0.1;
  EXPECT_TRUE(in_type.isfinite().all().item<bool>());
  EXPECT_EQ(torch::full({}, hides, GetParam().type).item<double>(), hides) << "exact";
  EXPECT_EQ(std::exp(static_cast<float>(hides)), 0.0f);
}

INSTANTIATE_TEST_SUITE_P(Types, FusedAttention,
                         testing::Values(TypeAndTolerance{torch::kDouble, 1e-14},
                                         TypeAndTolerance{torch::kFloat, 2e-6},
                                         TypeAndTolerance{torch::kBFloat16, 3e-2},
                                         TypeAndTolerance{torch::kHalf, 4e-3}),
                         [](const auto& info) { return std::string(torch::toString(info.param.type)); });

}  // namespace
}  // namespace attnlab
