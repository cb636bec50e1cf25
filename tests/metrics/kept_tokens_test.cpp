// Lives and shares against the definitions spelled out token by token and step by step, on caches that drop
// at random, and against the published row that follows from the sizes alone.
#include "metrics/kept_tokens.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/random.h"
#include "metrics/statistics.h"

namespace attnlab {
namespace {

using Ints = std::vector<int64_t>;

/// Expiry of n tokens of which k are kept, any but the first `protected_first` being dropped; the least
/// position (`oldest`) or any. `skip`: with this chance nothing is dropped, so that more than k may live.
Ints dropped_at_random(Random& random, int64_t n, int64_t k, int64_t protect_first = 0, bool oldest = false,
                       double skip = 0) {
  Ints expiry(static_cast<std::size_t>(n), -1), live;
  for (int64_t t = 0; t < n; ++t) {
    live.push_back(t);
    if (static_cast<int64_t>(live.size()) <= k || random.uniform() < skip) continue;
    const auto droppable = static_cast<uint64_t>(static_cast<int64_t>(live.size()) - protect_first);
    const int64_t at = protect_first + (oldest ? 0 : static_cast<int64_t>(random.below(droppable)));
    expiry[static_cast<std::size_t>(live[static_cast<std::size_t>(at)])] = t;
    live.erase(live.begin() + at);
  }
  return expiry;
}

KeptChunk chunk_of(const Ints& expiry, int64_t layers = 1, int64_t groups = 1, const Ints& classes = {},
                   int64_t class_count = 0) {
  Ints numbers(static_cast<std::size_t>(layers));
  std::iota(numbers.begin(), numbers.end(), 0);
  const auto tokens = static_cast<int64_t>(expiry.size()) / layers / groups;
  return kept_chunk({expiry, numbers, groups, tokens}, classes, class_count);
}

/// What the header says, step by step.
struct ByDefinition {
  double life = 0, censored = 0, steps = 0, recent = 0;
  std::vector<double> lives;

  explicit ByDefinition(std::span<const int64_t> expiry) : lives(expiry.size(), 0.0) {
    const auto n = static_cast<int64_t>(expiry.size());
    for (int64_t t = 0; t < n; ++t) {
      Ints live;
      for (int64_t j = 0; j <= t; ++j) {
        const int64_t last = expiry[static_cast<std::size_t>(j)];
        if (last < 0 || t <= last) ++lives[static_cast<std::size_t>(j)];
        if (last < 0 || t < last) live.push_back(j);
      }
      const auto kept = static_cast<int64_t>(live.size());
      if (kept == t + 1 || kept == 0) continue;
      ++steps;
      recent += static_cast<double>(std::ranges::count_if(live, [&](int64_t j) { return j > t - kept; })) /
                static_cast<double>(kept);
    }
    life = std::accumulate(lives.begin(), lives.end(), 0.0);
    censored = static_cast<double>(std::ranges::count(expiry, -1));
  }
};

TEST(KeptTokens, AreTheDefinitionsStepByStep) {
  Random random(7);
  for (int trial = 0; trial < 60; ++trial) {
    const auto n = static_cast<int64_t>(1 + random.below(90)), k = static_cast<int64_t>(1 + random.below(40));
    const Ints expiry = dropped_at_random(random, n, k, 0, trial % 5 == 0, trial % 3 == 0 ? 0.4 : 0);
    const ByDefinition expected(expiry);
    const KeptChunk chunk = chunk_of(expiry);
    ASSERT_EQ(chunk.layers.size(), 1U);
    EXPECT_EQ(chunk.tokens, n);
    EXPECT_EQ(chunk.layers[0].life, expected.life) << "n = " << n << ", k = " << k;
    EXPECT_EQ(chunk.layers[0].first_life, expected.lives[0]);
    EXPECT_EQ(chunk.layers[0].censored, expected.censored);
    EXPECT_EQ(chunk.layers[0].steps, expected.steps);
    EXPECT_NEAR(chunk.layers[0].recent, expected.recent, 1e-9);
  }
}

/// Layers and groups of heads are averaged, and so are the lives of each class.
TEST(KeptTokens, AreMeansOverLayersAndGroups) {
  Random random(8);
  constexpr int64_t layers = 3, groups = 2, n = 70, kinds = 4;
  Ints all, classes;
  for (int64_t i = 0; i < n; ++i) classes.push_back(static_cast<int64_t>(random.below(kinds - 1)));
  std::vector<ByDefinition> lanes;
  for (int64_t lane = 0; lane < layers * groups; ++lane) {
    const Ints expiry = dropped_at_random(random, n, 5 + 3 * (lane / groups));
    lanes.emplace_back(expiry);
    all.insert(all.end(), expiry.begin(), expiry.end());
  }
  const std::vector<KeptChunk> chunks = {chunk_of(all, layers, groups, classes, kinds)};
  double life = 0, recent = 0, steps = 0, first = 0, of_class = 0;
  for (const ByDefinition& lane : lanes) {
    life += lane.life / n / 6;
    recent += lane.recent;
    steps += lane.steps;
    first += lane.lives[0] / 6;
    for (std::size_t i = 0; i < n; ++i) of_class += classes[i] == 1 ? lane.lives[i] / 6 : 0;
  }
  const auto count = static_cast<double>(std::ranges::count(classes, 1));
  EXPECT_NEAR(mean_life(chunks).value, life, 1e-9);
  EXPECT_NEAR(recent_share(chunks).value, recent / steps, 1e-12);
  EXPECT_NEAR(first_life(chunks).value, first, 1e-9);
  EXPECT_NEAR(first_life_share(chunks).value, first / n, 1e-12);
  EXPECT_NEAR(class_life(chunks, 1).value, of_class / count, 1e-9);
  EXPECT_EQ(tokens_of_class(chunks, 1), static_cast<int64_t>(count));
  EXPECT_TRUE(std::isnan(class_life(chunks, 3).value));
  EXPECT_NEAR(chunks[0].layers[2].life, (lanes[4].life + lanes[5].life) / 2, 1e-9);
  EXPECT_EQ(chunks[0].layers[2].layer, 2);
}

/// All tokens' row of the published table, LLaMA-2-7B on 4,096 tokens: it follows from k, whatever is
/// dropped.
TEST(KeptTokens, TheMeanLifeOfAllTokensIsThePublishedOne) {
  Random random(9);
  for (const auto& [k, published] : {std::pair{256, 249}, {512, 481}, {1024, 897}, {2048, 1537}})
    for (const bool oldest : {true, false}) {
      const std::vector<KeptChunk> chunks = {chunk_of(dropped_at_random(random, 4096, k, 0, oldest))};
      EXPECT_EQ(std::lround(mean_life(chunks).value), published) << "k = " << k;
      EXPECT_DOUBLE_EQ(mean_life(chunks).value, (k + 1) * (1 - k / 8192.0));
      EXPECT_DOUBLE_EQ(censored_share(chunks).value, k / 4096.0);
    }
}

TEST(KeptTokens, OfAWindowAreTheRecentOnes) {
  Random random(10);
  const std::vector<KeptChunk> window = {chunk_of(dropped_at_random(random, 100, 20, 0, true))};
  EXPECT_DOUBLE_EQ(recent_share(window).value, 1);
  EXPECT_DOUBLE_EQ(first_life(window).value, 21);  // seen by itself and by 20 more
  const std::vector<KeptChunk> sinks = {chunk_of(dropped_at_random(random, 100, 20, 4, true))};
  // The last of the first four leaves the recent ones after step 23, the first of them after step 20: 16/20
  // from then on, 19/20, 18/20, 17/20 before.
  EXPECT_NEAR(recent_share(sinks).value, (0.95 + 0.9 + 0.85 + 77 * 0.8) / 80, 1e-12);
  EXPECT_DOUBLE_EQ(first_life_share(sinks).value, 1);
}

/// Of chunks of one length a ratio of sums is a mean, and its standard error that of a mean.
TEST(KeptTokens, HaveTheirStandardErrorOverChunks) {
  Random random(11);
  std::vector<KeptChunk> chunks;
  std::vector<double> lives, shares;
  for (int i = 0; i < 6; ++i) {
    const Ints expiry = dropped_at_random(random, 80, 6 + i);
    const ByDefinition expected(expiry);
    lives.push_back(expected.life / 80);
    shares.push_back(expected.lives[0] / 80);
    chunks.push_back(chunk_of(expiry));
  }
  const Spread life = spread(lives), share = spread(shares);
  EXPECT_NEAR(mean_life(chunks).value, life.mean, 1e-9);
  EXPECT_NEAR(mean_life(chunks).standard_error, life.standard_error, 1e-9);
  EXPECT_NEAR(first_life_share(chunks).standard_error, share.standard_error, 1e-9);
  EXPECT_EQ(mean_life(chunks).chunks, 6);
  EXPECT_TRUE(std::isnan(mean_life(std::span(chunks).first(1)).standard_error));
  double sum = 0;
  for (const double value : lives) sum += 80 * value;
  EXPECT_NEAR(sum_of_layers(chunks)[0].life, sum, 1e-9);
  EXPECT_EQ(tokens_of(chunks), 480);
}

TEST(KeptTokens, OfNothingAreNotANumber) {
  EXPECT_TRUE(std::isnan(mean_life({}).value));
  EXPECT_TRUE(sum_of_layers({}).empty());
  const std::vector<KeptChunk> all_kept = {chunk_of(Ints(5, -1))};
  EXPECT_TRUE(std::isnan(recent_share(all_kept).value)) << "nothing was dropped";
  EXPECT_DOUBLE_EQ(mean_life(all_kept).value, 3);  // 5, 4, 3, 2 and 1 steps
  EXPECT_TRUE(std::isnan(class_life(all_kept, 0).value)) << "tokens without a class";
}

/// The newest token may go in its own step, in which it was attended to.
TEST(KeptTokens, ThatGoAtOnceLiveOneStep) {
  const std::vector<KeptChunk> chunks = {chunk_of({-1, 1, 2})};
  EXPECT_DOUBLE_EQ(chunks[0].layers[0].life, 3 + 1 + 1);
  EXPECT_DOUBLE_EQ(chunks[0].layers[0].recent, 0);
}

}  // namespace
}  // namespace attnlab
