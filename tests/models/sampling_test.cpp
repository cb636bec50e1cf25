// The choice of the next token against the warpers of transformers (tests/golden/make_sampling.py).
#include "models/sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace attnlab {
namespace {

const nlohmann::json& golden_sampling() {
  static const auto all = [] {
    std::ifstream in(ATTNLAB_SOURCE_DIR "/tests/golden/sampling.json");
    return nlohmann::json::parse(in);
  }();
  return all;
}

TEST(Sampling, CandidatesAreThoseOfTransformers) {
  const auto logits = golden_sampling()["logits"].get<std::vector<float>>();
  for (const auto& c : golden_sampling()["cases"]) {
    const SamplingOptions options{c["temperature"], c["top_k"], c["top_p"]};
    std::vector<double> probabilities(logits.size(), 0.0);
    for (const Candidate& candidate : candidates(logits, options))
      probabilities[static_cast<std::size_t>(candidate.id)] = candidate.probability;
    for (std::size_t i = 0; i < logits.size(); ++i)
      EXPECT_NEAR(probabilities[i], c["probabilities"][i].get<double>(), 1e-10)
          << "token " << i << " at temperature " << options.temperature << ", top_k " << options.top_k
          << ", top_p " << options.top_p;
  }
}

TEST(Sampling, AtTemperatureZeroTheLargestLogitWinsAndTheLowestIdAmongEquals) {
  const std::vector<float> logits{1, 3, -2, 3};
  for (const double uniform : {0.0, 0.5, 0.999}) EXPECT_EQ(choose_token(logits, {}, uniform), 1);
}

TEST(Sampling, ANumberFallsOnEachTokenAsOftenAsItIsProbable) {
  const std::vector<float> logits{std::log(0.2f), std::log(0.5f), std::log(0.3f)};
  std::vector<int> counts(3);
  constexpr int draws = 1000;  // an even grid over [0, 1)
  for (int i = 0; i < draws; ++i)
    ++counts[static_cast<std::size_t>(choose_token(logits, {.temperature = 1.0}, (i + 0.5) / draws))];
  EXPECT_EQ(counts, (std::vector<int>{200, 500, 300}));
  EXPECT_EQ(choose_token(logits, {.temperature = 1.0}, 0.0), 1);  // the most probable comes first
}

/// Thousands of tokens, many of them equal: the order is that of a stable sort of all by Torch.
TEST(Sampling, LargeVocabulariesAreInOrderToTheLast) {
  torch::manual_seed(4);
  const torch::Tensor coarse = (torch::randn({5000}) * 8).round();
  const std::vector<float> logits(coarse.const_data_ptr<float>(), coarse.const_data_ptr<float>() + 5000);
  const torch::Tensor order = std::get<1>(coarse.sort(/*stable=*/true, -1, /*descending=*/true));
  const torch::Tensor p = (coarse.to(torch::kDouble) / 3).softmax(-1);
  const std::vector<Candidate> all = candidates(logits, {.temperature = 3.0});
  ASSERT_EQ(all.size(), logits.size());
  for (int64_t i = 0; i < 5000; ++i) {
    EXPECT_EQ(all[static_cast<std::size_t>(i)].id, order[i].item<int64_t>()) << i;
    EXPECT_NEAR(all[static_cast<std::size_t>(i)].probability, p[order[i]].item<double>(), 1e-12) << i;
  }
}

TEST(Sampling, ABatchIsChosenLikeEachOfItsRows) {
  torch::manual_seed(6);
  const torch::Tensor logits_BV = (torch::randn({64, 3000}) * 4).round() / 2;  // with equals
  std::vector<double> uniforms;
  for (int i = 0; i < 64; ++i) uniforms.push_back(torch::rand({}, torch::kDouble).item<double>());
  uniforms[0] = 0.0;
  uniforms[1] = 1 - 1e-16;
  for (const SamplingOptions& o : {SamplingOptions{},
                                   {1.0, 0, 1.0},
                                   {0.3, 0, 0.9},
                                   {2.0, 50, 1.0},
                                   {1.5, 40, 0.5},
                                   {5.0, 0, 0.999},
                                   {1.0, 1, 1.0},
                                   {1.0, 0, 1e-9},
                                   {1.0, 9999, 1.0}}) {
    SCOPED_TRACE("temperature " + std::to_string(o.temperature) + ", top_k " + std::to_string(o.top_k) +
                 ", top_p " + std::to_string(o.top_p));
    const std::vector<int64_t> ids = choose_tokens(logits_BV, o, uniforms);
    const torch::Tensor by_operators =
        choose_by_operators(logits_BV, o, torch::tensor(uniforms, torch::kDouble));
    for (int64_t b = 0; b < 64; ++b) {
      const std::span row(logits_BV.const_data_ptr<float>() + b * 3000, 3000);
      EXPECT_EQ(ids[static_cast<std::size_t>(b)], choose_token(row, o, uniforms[static_cast<std::size_t>(b)]))
          << b;
      EXPECT_EQ(by_operators[b].item<int64_t>(), ids[static_cast<std::size_t>(b)]) << b;
    }
  }
}

TEST(Sampling, NotANumberIsNoTokenToGoOnWith) {
  std::vector<float> damaged(1000, 0.0f), infinite = damaged;
  damaged[7] = NAN;
  infinite[7] = INFINITY;
  const std::vector<float> none(1000, -INFINITY);
  for (const std::vector<float>& logits : {damaged, infinite, none})
    for (const double temperature : {0.0, 1.0}) try {
        choose_token(logits, {.temperature = temperature}, 0.5);
        ADD_FAILURE() << "chose a token at temperature " << temperature;
      } catch (const RunError& e) {
        EXPECT_THAT(e.what(), testing::HasSubstr("logits are not numbers (NaN, or infinite)"));
      }
}

TEST(Sampling, WhatCannotComeIsNoMistake) {
  EXPECT_EQ(choose_token(std::vector<float>{-INFINITY, 1.0f, -INFINITY}, {.temperature = 1}, 0.5), 1);
}

TEST(Sampling, SurprisalIsTheNegativeLogOfTheProbability) {
  const torch::Tensor logits = torch::tensor({0.2f, 0.5f, 0.3f}).log() + 40;
  const torch::Tensor surprisal =
      surprisal_of(logits.expand({2, 3}), torch::tensor({int64_t{0}, int64_t{1}}));
  EXPECT_NEAR(surprisal[0].item<double>(), -std::log(0.2), 1e-5);
  EXPECT_NEAR(surprisal[1].item<double>(), -std::log(0.5), 1e-5);
}

}  // namespace
}  // namespace attnlab
