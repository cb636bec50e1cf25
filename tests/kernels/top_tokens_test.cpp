// The most probable tokens against a softmax over all of them.
#include "kernels/top_tokens.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace attnlab {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

TEST(TopTokens, AreThoseOfASoftmaxOverAll) {
  torch::manual_seed(1);
  for (const auto type : {torch::kFloat, torch::kDouble})
    for (const int64_t symbols : {1, 2, 63, 64, 65, 1000, 33333})
      for (const int64_t count : {1, 4, 10, 70}) {
        const Tensor logits_RV = 3 * torch::randn({5, symbols}, type);
        const TopTokens top = top_tokens(logits_RV, count, {});
        const Tensor log_p_RV = logits_RV.to(torch::kDouble).log_softmax(-1);
        const auto [wanted_RC, ids_RC] = log_p_RV.topk(std::min(count, symbols));
        EXPECT_LT((top.log_p_RC - wanted_RC).abs().max().item<double>(), 1e-5);
        EXPECT_LT((top.log_p_RC - log_p_RV.gather(1, top.ids_RC)).abs().max().item<double>(), 1e-5);
        EXPECT_LT((top.log_sums_R - logits_RV.to(torch::kDouble).logsumexp(-1)).abs().max().item<double>(),
                  1e-5);
        EXPECT_GE(ids_RC.eq(top.ids_RC).to(torch::kDouble).mean().item<double>(), 0.99);
      }
}

TEST(TopTokens, EqualOnesComeById) {
  Tensor logits_RV = torch::zeros({1, 300});
  logits_RV[0][200] = 1;
  const TopTokens top = top_tokens(logits_RV, 4, {1});
  EXPECT_TRUE(top.ids_RC.equal(torch::tensor({{200, 0, 2, 3}}, torch::kLong)));
}

TEST(TopTokens, WhatIsLeftOutCountsInTheSum) {
  for (const auto type : {torch::kFloat, torch::kDouble}) {
    const Tensor logits_RV = torch::tensor({{2.0, 5.0, 1.0, -1.0}}, type);
    const TopTokens top = top_tokens(logits_RV, 3, {1, 2});
    EXPECT_TRUE(top.ids_RC.equal(torch::tensor({{0, 3, -1}}, torch::kLong)));
    const Tensor log_p_V = logits_RV.to(torch::kDouble).log_softmax(-1)[0];
    EXPECT_NEAR(top.log_p_RC[0][0].item<double>(), log_p_V[0].item<double>(), 1e-6);
    EXPECT_NEAR(top.log_p_RC[0][1].item<double>(), log_p_V[3].item<double>(), 1e-6);
    EXPECT_EQ(top.log_p_RC[0][2].item<double>(), -inf);
  }
}

TEST(TopTokens, ARowThatIsNoDistributionHasNone) {
  for (const auto type : {torch::kFloat, torch::kDouble}) {
    const Tensor logits_RV =
        torch::tensor({{1.f, std::nanf(""), 2.f}, {1.f, inf, 2.f}, {-inf, -inf, -inf}, {-inf, 0.f, -inf}})
            .to(type);
    const TopTokens top = top_tokens(logits_RV, 2, {});
    EXPECT_TRUE(top.ids_RC.slice(0, 0, 3).eq(-1).all().item<bool>()) << top.ids_RC;
    EXPECT_TRUE(top.log_p_RC.slice(0, 0, 3).eq(-inf).all().item<bool>());
    EXPECT_TRUE(top.ids_RC[3].equal(torch::tensor({1, -1}, torch::kLong)));
    EXPECT_EQ(top.log_p_RC[3][0].item<double>(), 0);
  }
}

}  // namespace
}  // namespace attnlab
