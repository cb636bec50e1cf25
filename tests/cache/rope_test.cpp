// Rotary positions against the formula written out.
#include "cache/rope.h"

#include <gtest/gtest.h>

#include <cmath>

namespace attnlab {
namespace {

TEST(Rope, TurnsThePairsOfHalvesByPositionTimesFrequency) {
  constexpr int64_t d = 6;
  const torch::Tensor x = torch::arange(1, d + 1, torch::kDouble).view({1, 1, 1, d});
  const torch::Tensor y = Rope(d, 100.0).rotate(x, torch::full({1, 1}, 7, torch::kLong)).view({d});
  for (int64_t i = 0; i < d / 2; ++i) {
    const double angle = 7.0 * std::pow(100.0, -2.0 * static_cast<double>(i) / d);
    const auto a = static_cast<double>(i + 1), b = static_cast<double>(i + 1 + d / 2);
    EXPECT_NEAR(y[i].item<double>(), a * std::cos(angle) - b * std::sin(angle), 1e-12);
    EXPECT_NEAR(y[i + d / 2].item<double>(), b * std::cos(angle) + a * std::sin(angle), 1e-12);
  }
}

TEST(Rope, GivesTheSameInOnePassFromATableAsWithAutograd) {
  torch::manual_seed(1);
  const torch::Tensor x = torch::randn({2, 5, 3, 8});
  const torch::Tensor positions = torch::tensor({0, 1, 2, 3, 4, 900, 901, 902, 903, 904}).view({2, 5});
  const Rope rope(8, 10000.0);
  for (const torch::Tensor& at : {positions.remainder(7), positions}) {  // the table grows
    const torch::Tensor composed = rope.rotate(x.clone().requires_grad_(), at).detach();
    EXPECT_LT((rope.rotate(x, at) - composed).abs().max().item<double>(), 1e-6);
  }
}

TEST(Rope, SharesAnglesOfTheSamePositionsAlone) {
  torch::manual_seed(1);
  const torch::Tensor x = torch::randn({2, 3, 3, 8}).to(torch::kBFloat16),
                      positions = torch::arange(6).view({2, 3});
  const Rope alone(8, 10000.0);
  Rope sharing(8, 10000.0);
  sharing.share(positions);
  for (const auto type : {torch::kBFloat16, torch::kDouble, torch::kBFloat16})
    for (const torch::Tensor& at : {positions, positions + 5})
      EXPECT_TRUE(sharing.rotate(x.to(type), at).equal(alone.rotate(x.to(type), at)));
}

TEST(Rope, TurnsQueriesAndKeysAsEachAlone) {
  torch::manual_seed(1);
  const torch::Tensor q = torch::randn({2, 3, 4, 8}), k = torch::randn({2, 3, 2, 8}),
                      positions = torch::arange(6).view({2, 3});
  Rope rope(8, 10000.0);
  rope.share(positions);
  for (const auto type : {torch::kFloat, torch::kBFloat16, torch::kDouble}) {
    const auto [turned_q, turned_k] = rope.rotate(q.to(type), k.to(type), positions);
    EXPECT_TRUE(turned_q.equal(rope.rotate(q.to(type), positions)));
    EXPECT_TRUE(turned_k.equal(rope.rotate(k.to(type), positions)));
  }
}

TEST(Rope, RoundsInBf16AsTransformersDoes) {
  torch::manual_seed(1);
  const torch::Tensor x = torch::randn({1, 4, 2, 8}).to(torch::kBFloat16),
                      positions = torch::arange(100, 104).unsqueeze(0);
  const torch::Tensor angles = positions.to(torch::kFloat).unsqueeze(-1) *
                               torch::pow(10000.0, torch::arange(0, 8, 2) / 8.0).reciprocal();
  const torch::Tensor c = angles.cos().to(torch::kBFloat16).unsqueeze(2),
                      s = angles.sin().to(torch::kBFloat16).unsqueeze(2), a = x.narrow(-1, 0, 4),
                      b = x.narrow(-1, 4, 4);
  EXPECT_TRUE(Rope(8, 10000.0).rotate(x, positions).equal(torch::cat({a * c - b * s, b * c + a * s}, -1)));
}

TEST(Rope, TakesNegativePositions) {  // a caller may leave such at padding
  const torch::Tensor x = torch::ones({1, 1, 1, 2});
  const torch::Tensor y = Rope(2, 10000.0).rotate(x, torch::full({1, 1}, -1, torch::kLong)).flatten();
  EXPECT_NEAR(y[0].item<double>(), std::cos(1.0) + std::sin(1.0), 1e-6);
  EXPECT_NEAR(y[1].item<double>(), std::cos(1.0) - std::sin(1.0), 1e-6);
}

}  // namespace
}  // namespace attnlab
