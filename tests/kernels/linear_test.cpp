#include "kernels/linear.h"

#include <gtest/gtest.h>

#include "kernels/relative_error.h"

namespace attnlab {
namespace {

struct Sizes {
  int64_t rows, depth, outputs;
};
constexpr Sizes some_sizes[] = {{1, 1, 1}, {3, 70, 5}, {129, 64, 257}, {300, 515, 130}, {512, 256, 300}};

TEST(Product, EqualsThatInDoubleWithABiasAndOfATransposedWeight) {
  torch::manual_seed(1);
  for (const auto& [rows, depth, outputs] : some_sizes) {
    const torch::Tensor x = torch::randn({rows, depth}), w = torch::randn({outputs, depth}),
                        b = torch::randn({outputs});
    const torch::Tensor want = at::linear(x.to(torch::kDouble), w.to(torch::kDouble));
    const torch::Tensor turned = w.t().contiguous().t();
    EXPECT_LT(relative_error(product(x, w), want), 1e-6);
    EXPECT_LT(relative_error(product(x, turned), want), 1e-6);
    EXPECT_LT(relative_error(product(x, w, b), want + b), 1e-6);
  }
}

/// Whatever the processor: product() takes it on some alone.
TEST(Product, ByOnednnIsTheSame) {
  torch::manual_seed(2);
  for (const auto& [rows, depth, outputs] : some_sizes) {
    const torch::Tensor x = torch::randn({rows, depth}), w = torch::randn({outputs, depth}),
                        b = torch::randn({outputs});
    const auto y = onednn_product(x, w, b);
    if (!y) GTEST_SKIP() << "Torch was built without oneDNN";
    const torch::Tensor want = at::linear(x.to(torch::kDouble), w.to(torch::kDouble));
    EXPECT_LT(relative_error(*y, want + b), 1e-6);
    EXPECT_LT(relative_error(*onednn_product(x, w.t().contiguous().t()), want), 1e-6);
  }
}

TEST(Affine, HasValuesAndGradientsOfLinearInDouble) {
  torch::manual_seed(3);
  for (const bool biased : {false, true}) {
    const auto leaf = [](at::IntArrayRef shape) { return torch::randn(shape).requires_grad_(); };
    const auto twice = [](const torch::Tensor& t) { return t.detach().to(torch::kDouble).requires_grad_(); };
    const torch::Tensor x = leaf({2, 150, 300}), w = leaf({250, 300}),
                        b = biased ? leaf({250}) : torch::Tensor();
    const torch::Tensor x2 = twice(x), w2 = twice(w), b2 = biased ? twice(b) : torch::Tensor();
    const torch::Tensor y = affine(x, w, b),
                        want = at::linear(x2, w2, biased ? std::optional(b2) : std::nullopt);
    ASSERT_EQ(y.sizes(), want.sizes());
    EXPECT_LT(relative_error(y, want), 1e-6);
    const torch::Tensor dy = torch::randn_like(y).transpose(0, 1).contiguous().transpose(0, 1);
    y.backward(dy);
    want.backward(dy.to(torch::kDouble));
    EXPECT_LT(relative_error(x.grad(), x2.grad()), 1e-6);
    EXPECT_LT(relative_error(w.grad(), w2.grad()), 1e-6);
    if (biased) {
      EXPECT_LT(relative_error(b.grad(), b2.grad()), 1e-6);
    }
  }
}

TEST(Affine, IsLinearOfOneRowOfNoneAndOfAStridedOne) {
  torch::manual_seed(5);
  const torch::Tensor w = torch::randn({200, 300}).requires_grad_(), b = torch::randn({200});
  for (const torch::Tensor& x : {torch::randn({300}), torch::randn({0, 300}), torch::randn({300, 400}).t(),
                                 torch::randn({300}).expand({500, 300})}) {
    const torch::Tensor y = affine(x, w, b), want = at::linear(x, w, b);
    ASSERT_EQ(y.sizes(), want.sizes());
    EXPECT_LT(relative_error(y, want.to(torch::kDouble)), 1e-6);
  }
}

TEST(Affine, CanBeChangedInPlaceAndDifferentiatedTwice) {
  torch::manual_seed(6);
  const torch::Tensor x = torch::randn({400, 256}).requires_grad_(),
                      w = torch::randn({256, 256}).requires_grad_();
  const auto second = [&](const auto& map) {
    const torch::Tensor y = map(x, w).relu_().square().sum();
    const torch::Tensor dx = torch::autograd::grad({y}, {x}, {}, true, true)[0];
    return torch::autograd::grad({dx.square().sum()}, {w})[0];
  };
  const torch::Tensor got = second([](const auto& x, const auto& w) { return affine(x, w); });
  const torch::Tensor want = second([](const auto& x, const auto& w) { return at::linear(x, w); });
  EXPECT_LT(relative_error(got, want.to(torch::kDouble)), 1e-5);
}

TEST(Affine, AsksForNoGradientThatNobodyWants) {
  const torch::Tensor x = torch::randn({300, 256}), w = torch::randn({256, 256}).requires_grad_();
  affine(x, w).sum().backward();
  EXPECT_FALSE(x.grad().defined());
  EXPECT_TRUE(w.grad().defined());
  const torch::NoGradGuard no_grad;
  EXPECT_FALSE(affine(x, w).requires_grad());
}

TEST(Linear, IsTorchsModule) {
  torch::manual_seed(4);
  Linear ours(300, 200);
  torch::manual_seed(4);
  torch::nn::Linear theirs(300, 200);
  EXPECT_TRUE(torch::equal(ours->weight, theirs->weight));
  EXPECT_EQ(ours->named_parameters().keys(), theirs->named_parameters().keys());
  const torch::Tensor x = torch::randn({400, 300});
  EXPECT_LT(relative_error(ours(x), theirs(x)), 1e-6);
}

}  // namespace
}  // namespace attnlab
