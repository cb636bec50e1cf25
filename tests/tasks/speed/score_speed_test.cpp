// Speed of scoring: that its figures agree with one another, and the operations with a count by hand.
#include "tasks/speed/score_speed.h"

#include <gtest/gtest.h>

#include <ATen/Parallel.h>

#include "core/memory.h"
#include "tasks/memory_record.h"
#include "tasks/refused_options.h"
#include "tasks/speed/expected_share.h"

namespace attnlab {
namespace {

class ScoreSpeed : public testing::Test {
 protected:
  ScoreSpeed() {
    install_counting_allocator();
    options.decoder.sizes = {.vocabulary = 50, .dim = 32, .ffn_dim = 64, .layers = 2, .heads = 4};
    options.length = 60;
    options.batch_size = 2;
    options.repetitions = 3;
    options.product_size = 64;
    options.cache.policy.select("tova");
    options.cache.size = 8;
  }
  void measure() {
    for (const Table& t : options.tables()) record.define(t);
    options.run({}, record);
  }
  static void expect_refused(const std::vector<std::string>& overrides, const std::string& sentence) {
    expect_refused_options<ScoreSpeedOptions>(overrides, sentence);
  }
  double figure(const std::string& name) const { return record.summaries.at(name).value; }
  /// Seconds of a cache, round by round, sorted.
  std::vector<double> seconds(const std::string& cache) {
    std::vector<double> all;
    for (const auto& row : record.tables["/score"])
      if (std::get<std::string>(row[1]) == cache) all.push_back(std::get<double>(row[3]));
    std::sort(all.begin(), all.end());
    return all;
  }

  ScoreSpeedOptions options;
  MemoryRecord record;
};

TEST_F(ScoreSpeed, WritesItsHeadlinesAndARowACacheAndRound) {
  measure();
  for (const Headline& h : options.headlines()) {
    ASSERT_TRUE(record.summaries.count(h.name)) << h.name;
    EXPECT_EQ(record.summaries.at(h.name).unit, h.unit) << h.name;
  }
  EXPECT_EQ(record.summaries.size(), options.headlines().size() + 2) << "and the quartiles of its rounds";
  EXPECT_EQ(seconds("full").size(), 3);
  EXPECT_EQ(seconds("bounded").size(), 3);
}

TEST_F(ScoreSpeed, FiguresFollowFromTimesAndOperations) {
  options.repetitions = 1;
  measure();
  const double bounded = seconds("bounded")[0], full = seconds("full")[0];
  EXPECT_DOUBLE_EQ(figure("fraction_of_full"), bounded / full);
  EXPECT_DOUBLE_EQ(figure("tokens_per_second"), 2 * 60 / bounded);
  EXPECT_DOUBLE_EQ(figure("full_tokens_per_second"), 2 * 60 / full);
  const double flops = 2 * scoring_flops(options.decoder.sizes, {8, 8}, 60);
  EXPECT_DOUBLE_EQ(figure("token_flops"), flops / (2 * 60));
  EXPECT_DOUBLE_EQ(figure("full_token_flops"), scoring_flops(options.decoder.sizes, {0, 0}, 60) / 60);
  expect_share(figure("product_share"), flops / bounded / figure("product_rate"));
}

TEST_F(ScoreSpeed, CountsOperationsOfLiveStatesOnly) {
  const DecoderOptions sizes = {
      .vocabulary = 7, .dim = 4, .ffn_dim = 5, .layers = 1, .heads = 2, .kv_heads = 1};
  // Projections: q and o 4×4, k and v 4×2. Six tokens, five of them predict the next.
  const double others = 6 * 2 * (2 * 4 * 4 + 2 * 4 * 2 + 3 * 4 * 5) + 5 * 2 * 4 * 7;
  const double full_pairs = 1 + 2 + 3 + 4 + 5 + 6, bounded_pairs = 1 + 2 + 3 + 3 + 3 + 3;
  EXPECT_EQ(scoring_flops(sizes, {0}, 6), others + 4 * 4 * full_pairs)
      << "a score and a sum of 4 numbers a pair";
  EXPECT_EQ(scoring_flops(sizes, {2}, 6), others + 4 * 4 * bounded_pairs)
      << "k + 1 states, the newest included";
  EXPECT_EQ(scoring_flops(sizes, {100}, 6), scoring_flops(sizes, {0}, 6));
}

TEST_F(ScoreSpeed, ABoundedCacheNeedsLessMemory) {
  options.length = 2000;
  options.repetitions = 1;
  measure();
  EXPECT_GT(figure("peak_bytes"), 0);
  EXPECT_LT(figure("peak_bytes"), figure("full_peak_bytes"));
  constexpr double logits = 64 << 20;  // which a small vocabulary does not need
  const double states = static_cast<double>(options.memory(torch::kCPU)) - logits;
  EXPECT_LT(figure("full_peak_bytes"), states);
  EXPECT_GT(2 * figure("full_peak_bytes"), states);
}

TEST_F(ScoreSpeed, NamesTheThreadsThatItWasAskedFor) {
  const int before = at::get_num_threads();
  options.thread_counts = {1, 2};
  measure();
  EXPECT_GT(figure("fraction_of_full_1_thread"), 0);
  EXPECT_GT(figure("fraction_of_full_2_threads"), 0);
  EXPECT_EQ(record.rows("/score"), 2 * 2 * options.repetitions);
  EXPECT_EQ(at::get_num_threads(), before);
}

TEST_F(ScoreSpeed, RefusesWhatATextThatIsScoredHasNot) {
  expect_refused({}, "sizes: needs a vocabulary of at least one token");
  expect_refused({"sizes.vocabulary=9", "cache.protect=[a]"}, "cache: protects strings");
  expect_refused({"sizes.vocabulary=9", "cache.prompt=one_shot"}, "cache: drops states after a prompt");
  expect_refused({"sizes.vocabulary=9", "cache.prompt=pieces"}, "cache: drops states after a prompt");
  expect_refused({"sizes.vocabulary=9", "cache.policy=surprisal"},
                 "cache: has a policy that reads token by token");
  expect_refused({"sizes.vocabulary=9", "cache.policy=snapkv"}, "cache: drops states after a prompt");
}

}  // namespace
}  // namespace attnlab
