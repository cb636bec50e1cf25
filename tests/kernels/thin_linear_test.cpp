// Products of a weight matrix with few rows, against the same product in double precision.
#include "kernels/thin_linear.h"

#include <gtest/gtest.h>

#include <tuple>

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
                         testing::Combine(testing::Values(1, 2, 3, 5, 6, 7, 8, 13, 16, 32, 33),
                                          testing::Values(1, 4, 70, 257), testing::Values(1, 15, 64, 200)));

TEST_P(ThinLinear, EqualsTheProductInDouble) {
  torch::manual_seed(3);
  const auto [rows, outputs, depth] = GetParam();
  expect_product(torch::randn({rows, depth}), torch::randn({outputs, depth}));
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

TEST(ThinLinearOf, LeavesGradientsToTorch) {
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

}  // namespace
}  // namespace attnlab
