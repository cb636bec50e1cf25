// The choice of the next token against the warpers of transformers (tests/golden/make_sampling.py).
#include "models/sampling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

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

TEST(Sampling, SurprisalIsTheNegativeLogOfTheProbability) {
  const std::vector<float> logits{std::log(0.2f) + 40, std::log(0.5f) + 40, std::log(0.3f) + 40};
  EXPECT_NEAR(surprisal_of(logits, 0), -std::log(0.2), 1e-5);
  EXPECT_NEAR(surprisal_of(logits, 1), -std::log(0.5), 1e-5);
}

}  // namespace
}  // namespace attnlab
