// Weights that fp32 cannot hold still rank states: the native primitives and operators on heads whose first
// token takes all the weight.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "kernels/bounded_operators.h"
#include "kernels/cuda_emulated.h"
#include "kernels/simd/simd.h"

namespace attnlab {
namespace {

TEST(PeakedHeads, ExponentialsAreScaledAndExact) {
  std::vector<float> x;
  for (float below = 0; below >= least_exponent; below -= 0.37f) x.push_back(below);
  std::vector<float> bias(x.size(), 0.0f), e(x);
  const float total = simd().exp_masked(static_cast<int64_t>(e.size()), bias.data(), e.data());
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double want = weight_scale * std::exp(static_cast<double>(x[i]));
    EXPECT_NEAR(e[i], want, 5e-7 * want) << x[i];
    sum += e[i];
  }
  EXPECT_NEAR(total, sum, 1e-6 * sum);
  std::vector<double> weights(e.size());
  simd().unscale(static_cast<int64_t>(e.size()), e.data(), weights.data());
  EXPECT_EQ(weights.front(), 1.0);
  EXPECT_NEAR(weights.back(), std::exp(static_cast<double>(x.back())), 1e-72);
}

TEST(PeakedHeads, WhatIsLessOrUnseenIsZeroAndNaNStays) {
  std::vector<float> x(40, -1.0f), bias(40, 0.0f);
  x[3] = 10.0f;
  x[20] = 10.0f + least_exponent - 0.01f;
  x[21] = -1e30f;
  x[22] = NAN;
  bias[23] = -INFINITY;
  const float total = simd().exp_masked(40, bias.data(), x.data());
  EXPECT_EQ(x[3], weight_scale);
  for (const int i : {20, 21, 23}) EXPECT_EQ(x[i], 0.0f) << i;
  EXPECT_TRUE(std::isnan(x[22]) && std::isnan(total));

  std::vector<float> unseen(40, 1.0f), nowhere(40, -INFINITY);
  EXPECT_EQ(simd().exp_masked(40, nowhere.data(), unseen.data()), 0.0f);
  for (const float one : unseen) EXPECT_EQ(one, 0.0f);
}

/// [B, T, heads, d]
Tensor tensor_of(const cuda::Floats& x, const cuda::Shape& shape, int64_t heads) {
  return torch::tensor(x).view({shape.batch, -1, heads, shape.d});
}

class PeakedTexts : public testing::TestWithParam<bool> {
 protected:
  void expect(const Tensor& y_BTHd, const Tensor& expiry_BGT) const {
    reference::Setting setting;
    setting.size = rule.size;
    setting.apart = apart;
    setting.theta = INFINITY;
    const auto newest_weight = [](const reference::Decision& d) {
      reference::Vec scores;
      for (const int64_t j : d.live) scores.push_back(d.weights[d.t][j]);
      return scores;
    };
    std::vector<int> columns(texts.tokens);
    std::iota(columns.begin(), columns.end(), 0);
    for (int b = 0; b < texts.shape.batch; ++b) {
      const reference::Outcome want = reference::run(texts.sequence(b, columns), setting, newest_weight);
      for (size_t g = 0; g < want.expiry.size(); ++g) {
        const Tensor lane = expiry_BGT[b][static_cast<int64_t>(g)].contiguous();
        const int64_t* row = lane.const_data_ptr<int64_t>();
        EXPECT_EQ(std::vector<int64_t>(row, row + texts.tokens), want.expiry[g]) << b << ", lane " << g;
      }
      for (int t = 0; t < texts.tokens; ++t)
        for (int h = 0; h < texts.shape.heads; ++h)
          EXPECT_LT((y_BTHd[b][t][h].to(torch::kDouble) - torch::tensor(want.y[t][h], torch::kDouble))
                        .abs()
                        .max()
                        .item<double>(),
                    1e-5);
    }
  }

  const bool apart = GetParam();
  const BoundedRule rule{.size = 10};
  const cuda::Texts texts = cuda::Texts::peaked<float>({cuda::Type::fp32, 2, 6, 3, 12}, 60, 7);
  const Tensor q = tensor_of(texts.q, texts.shape, 6), k = tensor_of(texts.k, texts.shape, 3),
               v = tensor_of(texts.v, texts.shape, 3);
};
INSTANTIATE_TEST_SUITE_P(HeadsApart, PeakedTexts, testing::Bool());

TEST_P(PeakedTexts, AtOnce) {
  const auto [y, expiry] = bounded_text(q, k, v, rule, apart, {});
  expect(y, apart ? expiry : expiry.unsqueeze(1));
}

TEST_P(PeakedTexts, TokenByToken) {
  const int64_t lanes = apart ? 6 : 2, groups = lanes / 2;
  const Tensor kept_k = torch::zeros({2, 3, rule.size + 1, 12}), kept_v = torch::zeros_like(kept_k),
               order = torch::zeros({lanes, rule.size + 1}, torch::kLong),
               counts = torch::zeros({lanes, 3}, torch::kLong);
  Tensor y = torch::empty_like(q), expiry = torch::full({2, groups, q.size(1)}, -1, torch::kLong);
  for (int64_t t = 0; t < q.size(1); ++t) {
    const auto [y_t, dropped] =
        bounded_decode_step(q.select(1, t).contiguous(), k.select(1, t).contiguous(),
                            v.select(1, t).contiguous(), {kept_k, kept_v, order, counts}, rule, {});
    y.select(1, t).copy_(y_t);
    for (int64_t lane = 0; lane < lanes; ++lane)
      if (const int64_t gone = dropped[lane].item<int64_t>(); gone >= 0)
        expiry[lane / groups][lane % groups][gone] = t;
  }
  expect(y, expiry);
}

TEST(PeakedHeads, TheOperatorGivesTrueWeights) {
  const Tensor q = torch::full({1, 2, 4}, 1.0f), k = torch::zeros({1, 1, 3, 4}),
               v = torch::randn({1, 1, 3, 4});
  k[0][0][1] = -20.0f;  // logit −40
  k[0][0][2] = -50.0f;  // logit −100: a subnormal weight
  const auto [y, shares] = bounded_attention_step(q, k, v, {}, {});
  EXPECT_EQ(shares[0][0][0].item<float>(), 2.0f);
  EXPECT_NEAR(shares[0][0][1].item<float>(), 2 * std::exp(-40.0), 1e-6 * std::exp(-40.0));
  EXPECT_NEAR(shares[0][0][2].item<float>(), 2 * std::exp(-100.0), 3e-45);
  EXPECT_TRUE(torch::allclose(y, v.select(2, 0).expand_as(y)));
}

}  // namespace
}  // namespace attnlab
