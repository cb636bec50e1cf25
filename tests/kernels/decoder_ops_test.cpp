// What a decoder's layers compute beside attention, native in fp32 against the composed forms in double
// precision.
#include "kernels/decoder_ops.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <tuple>

#include "kernels/relative_error.h"

namespace attnlab {
namespace {

using torch::Tensor;

void expect_product(const Tensor& x, const Tensor& w) {
  const torch::NoGradGuard no_grad;
  const Tensor got = thin_linear(x, w).to(torch::kDouble);
  const Tensor x_double = x.to(torch::kDouble), w_double = w.to(torch::kDouble);
  const Tensor want = torch::linear(x_double, w_double);
  ASSERT_EQ(got.sizes(), want.sizes());
  // Each sum of K terms may err by K roundings of the sum of their magnitudes (Higham 2002, §3.1).
  const Tensor bound =
      torch::linear(x_double.abs(), w_double.abs()) * (6e-8 * static_cast<double>(w.size(1)));
  EXPECT_TRUE(((got - want).abs() <= bound).all().item<bool>());
}

/// Rows of x, outputs N and depth K: multiples of the tile's sizes, and what is left over beside them.
class ThinLinear : public testing::TestWithParam<std::tuple<int64_t, int64_t, int64_t>> {};
INSTANTIATE_TEST_SUITE_P(Shapes, ThinLinear,
                         testing::Combine(testing::Values(1, 2, 3, 5, 6, 7, 8, 13, 16, 32, 33, 49, 64, 90,
                                                          127, 128, 129, 192, 193, 300),
                                          testing::Values(1, 4, 70, 257),
                                          testing::Values(1, 15, 64, 200, 259)));

TEST_P(ThinLinear, EqualsTheProductInDouble) {
  torch::manual_seed(3);
  const auto [rows, outputs, depth] = GetParam();
  expect_product(torch::randn({rows, depth}), torch::randn({outputs, depth}));
}

/// Weights in 16 bits: by the thin product and, widened, by the library's. The product in double of the same
/// weights is the reference, so that only sums in fp32 remain.
TEST_P(ThinLinear, ReadsNarrowWeightsAsTheyAre) {
  torch::manual_seed(3);
  const auto [rows, outputs, depth] = GetParam();
  for (const auto type : {torch::kBFloat16, torch::kHalf})
    for (const int64_t more : {int64_t{0}, int64_t{140}})
      expect_product(torch::randn({rows + more, depth}), torch::randn({outputs, depth}).to(type));
}

TEST(ThinLinearOf, ManyNarrowWeightsAreWidenedPartByPart) {
  torch::manual_seed(3);
  expect_product(torch::randn({200, 1100}), torch::randn({4200, 1100}).to(torch::kBFloat16));  // 4.6 million
}

TEST(ThinLinearOf, LongRowsAreMultipliedPartByPart) {
  torch::manual_seed(3);
  for (const int64_t rows : {19, 20, 40, 71}) {
    expect_product(torch::randn({rows, 4099}), torch::randn({50, 4099}));
    expect_product(torch::randn({rows, 6151}), torch::randn({75, 6151}).to(torch::kBFloat16));
  }
}

TEST(ThinLinearOf, EveryNarrowNumberIsWidenedExactly) {
  const torch::NoGradGuard no_grad;
  for (const auto type : {torch::kBFloat16, torch::kHalf}) {
    // All 65,536 bit patterns, as a column that is multiplied by one, and 17 at a time for the vectors.
    const Tensor bits = torch::arange(-32768, 32768).to(torch::kShort).view(type);
    const Tensor want = bits.to(torch::kFloat);
    const Tensor one = thin_linear(torch::ones({1, 1}), bits.view({-1, 1})).flatten();
    EXPECT_TRUE(torch::equal(one.view(torch::kInt).masked_select(~want.isnan()),
                             (want + 0.0f).view(torch::kInt).masked_select(~want.isnan())));
    EXPECT_TRUE(torch::equal(one.isnan(), want.isnan()));
    const Tensor w = torch::cat({bits, bits.narrow(0, 0, 64)})
                         .masked_fill(torch::cat({want, want.narrow(0, 0, 64)}).isfinite().logical_not(), 0);
    const Tensor columns = w.view({-1, 64});
    for (const int64_t at : {0, 15, 16, 63}) {
      Tensor x = torch::zeros({2, 64});
      x.select(1, at).fill_(1.0);
      EXPECT_TRUE(torch::equal(thin_linear(x, columns)[1], columns.select(1, at).to(torch::kFloat))) << at;
    }
  }
}

TEST(ThinLinearOf, IsTheSameOnAnyNumberOfThreads) {
  torch::manual_seed(3);
  const torch::NoGradGuard no_grad;
  const Tensor w = torch::randn({1030, 515});
  const int before = at::get_num_threads();
  for (const int64_t rows : {1, 16, 67, 500}) {
    const Tensor x = torch::randn({rows, 515});
    at::set_num_threads(1);
    const Tensor alone = thin_linear(x, w);
    at::set_num_threads(3);
    EXPECT_TRUE(torch::equal(thin_linear(x, w), alone)) << rows;
    at::set_num_threads(before);
    expect_product(x, w);
  }
}

TEST(ThinLinearOf, SeveralWeightsGiveWhatEachGivesAlone) {
  torch::manual_seed(6);
  for (const int64_t rows : {1, 3, 40, 67, 100, 300}) {
    const Tensor x = torch::randn({rows, 130});
    const std::vector<Tensor> weights = {torch::randn({70, 130}), torch::randn({3, 130}).to(torch::kBFloat16),
                                         torch::randn({257, 130}).to(torch::kHalf)};
    const std::vector<Tensor> together = thin_linears(x, weights);
    ASSERT_EQ(together.size(), weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i)
      EXPECT_TRUE(torch::equal(together[i], thin_linear(x, weights[i]))) << rows << " rows, weight " << i;
  }
}

TEST(ThinLinearOf, RefusesWeightsOfAnotherDepth) {
  EXPECT_THROW(thin_linear(torch::randn({2, 8}), torch::randn({3, 9})), c10::Error);
}

TEST(ThinLinearOf, KeepsTheLeadingDimensions) {
  torch::manual_seed(3);
  expect_product(torch::randn({3, 2, 40}), torch::randn({24, 40}));
  expect_product(torch::randn({40}), torch::randn({24, 40}));
}

TEST(ThinLinearOf, ReadsStridedInputsAndWeights) {
  torch::manual_seed(3);
  expect_product(torch::randn({40, 5}).t(), torch::randn({24, 40}));
  expect_product(torch::randn({5, 40}), torch::randn({40, 24}).t());
}

TEST(ThinLinearOf, HasGradients) {
  torch::manual_seed(3);
  const Tensor w = torch::randn({6, 10}).set_requires_grad(true), x = torch::randn({2, 10});
  thin_linear(x, w).sum().backward();
  EXPECT_TRUE(torch::allclose(w.grad(), x.sum(0).expand({6, 10})));
}

TEST(ThinLinearOf, InfinitiesAndNaNAreNotLost) {
  Tensor x = torch::ones({2, 32}), w = torch::ones({4, 32});
  x[0][3] = std::numeric_limits<float>::infinity();
  w[1][5] = std::numeric_limits<float>::quiet_NaN();
  const Tensor y = thin_linear(x, w);
  EXPECT_TRUE(std::isinf(y[0][0].item<float>()));
  EXPECT_TRUE(std::isnan(y[1][1].item<float>()));
  EXPECT_EQ(y[1][0].item<float>(), 32.0f);
}

TEST(RmsNorm, EqualsTheFormulaInDouble) {
  torch::manual_seed(3);
  for (const int64_t d : {1, 15, 64, 513}) {
    const Tensor x = torch::randn({3, 7, d}), w = torch::randn({d});
    EXPECT_LT(
        relative_error(rms_norm(x, w, 1e-5), rms_norm(x.to(torch::kDouble), w.to(torch::kDouble), 1e-5)),
        1e-6)
        << d;
  }
}

TEST(RmsNorm, OfZerosIsZeroAndOfStridedRowsTheirs) {
  EXPECT_EQ(rms_norm(torch::zeros({2, 8}), torch::ones({8}), 1e-5).abs().max().item<float>(), 0.0f);
  torch::manual_seed(3);
  const Tensor x = torch::randn({8, 5}).t(), w = torch::randn({8});
  EXPECT_TRUE(torch::equal(rms_norm(x, w, 1e-5), rms_norm(x.contiguous(), w, 1e-5)));
}

TEST(GatedSilu, EqualsTheFormulaInDoubleAlsoFarFromZero) {
  torch::manual_seed(3);
  Tensor gate = torch::randn({5, 33}) * 10, x = torch::randn({5, 33});
  gate[0][0] = -200.0f;
  gate[0][1] = 200.0f;
  gate[0][2] = -86.9f;
  const Tensor got = gated_silu(gate, x);
  EXPECT_LT(relative_error(got, gated_silu(gate.to(torch::kDouble), x.to(torch::kDouble))), 1e-6);
  EXPECT_TRUE(torch::isfinite(got).all().item<bool>());
}

TEST(GatedSilu, KeepsNaN) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(gated_silu(torch::full({20}, nan), torch::ones({20}))[3].item<float>()));
}

TEST(DecoderOps, LeaveGradientsToTorch) {
  torch::manual_seed(3);
  const Tensor x = torch::randn({4, 6}, torch::kDouble).set_requires_grad(true);
  const Tensor single = x.detach().to(torch::kFloat).set_requires_grad(true);
  const Tensor w = (torch::rand({6}) + 0.5).set_requires_grad(true);
  const Tensor wide = w.detach().to(torch::kDouble).set_requires_grad(true);
  const auto loss = [](const Tensor& in, const Tensor& weight) {
    const Tensor normed = rms_norm(in, weight, 1e-5);
    return (gated_silu(normed, in) * normed).sum();
  };
  loss(x, wide).backward();
  loss(single, w).backward();
  EXPECT_LT(relative_error(single.grad(), x.grad()), 1e-5);
  EXPECT_LT(relative_error(w.grad(), wide.grad()), 1e-5);
}

/// Rows as a language model has them: a few likely tokens above a wide bulk.
Tensor logits_of(int64_t rows, int64_t vocabulary) {
  torch::manual_seed(5);
  Tensor logits = 3.5 * torch::randn({rows, vocabulary});
  logits.narrow(1, 0, vocabulary / 1000 + 1) += 8;
  return logits;
}

double mean_error(const Tensor& losses, const Tensor& logits, const Tensor& targets) {
  const Tensor want = torch::cross_entropy_loss(logits.to(torch::kDouble), targets, {}, at::Reduction::None);
  return (losses.to(torch::kDouble) - want).mean().item<double>();
}

TEST(TokenLosses, HaveNoBiasOverALargeVocabulary) {
  const Tensor logits = logits_of(200, 49152), targets = torch::randint(0, 49152, {200}, torch::kLong);
  EXPECT_LT(std::abs(mean_error(token_losses(logits, targets), logits, targets)), 1e-7);
  const Tensor in_fp32 = torch::cross_entropy_loss(logits, targets, {}, at::Reduction::None);
  EXPECT_GT(std::abs(mean_error(in_fp32, logits, targets)), 1e-6) << "Torch's own would do as well";
}

TEST(TokenLosses, OfEveryTypeAndLayout) {
  const Tensor logits = logits_of(7, 1500), targets = torch::randint(0, 1500, {7}, torch::kLong);
  for (const auto type : {torch::kFloat, torch::kDouble, torch::kBFloat16}) {
    const Tensor typed = logits.to(type), losses = token_losses(typed, targets);
    EXPECT_EQ(losses.scalar_type(), torch::kDouble);
    EXPECT_LT(std::abs(mean_error(losses, typed, targets)), type == torch::kDouble ? 1e-14 : 1e-6);
    EXPECT_TRUE(torch::equal(token_losses(typed.t().contiguous().t(), targets), losses));
  }
}

TEST(TokenLosses, OfLogitsThatAreFarApartOrNoNumbers) {
  Tensor logits = torch::full({4, 3000}, -INFINITY);
  logits.select(1, 7).fill_(1e4f);
  logits[1][8] = 1e4f - 200;
  logits[2][9] = 1e4f;
  logits[3][2999] = NAN;
  const Tensor losses = token_losses(logits, torch::tensor({7, 8, 9, 7}));
  EXPECT_NEAR(losses[0].item<double>(), 0, 1e-12);
  EXPECT_NEAR(losses[1].item<double>(), 200, 1e-12);
  EXPECT_NEAR(losses[2].item<double>(), std::log(2), 1e-7);
  EXPECT_TRUE(std::isnan(losses[3].item<double>()));
  EXPECT_EQ(token_losses(torch::empty({0, 5}), torch::empty({0}, torch::kLong)).numel(), 0);
}

}  // namespace
}  // namespace attnlab
