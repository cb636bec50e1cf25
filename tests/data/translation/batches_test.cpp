// Batches of sentence pairs by a budget of tokens: what they hold, that they depend on nothing but seed and
// epoch, and how much of them is padding.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/random.h"
#include "data/temporary.h"
#include "data/translation/batches.h"
#include "data/translation/pairs_in_memory.h"

namespace attnlab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::PairsInMemory;
using Plan = std::vector<std::vector<int64_t>>;

std::size_t index(int64_t i) { return static_cast<std::size_t>(i); }

/// Lengths as those of captions: 4 to about 40 tokens, the target as long as the source within a third.
PairLengths caption_lengths(int64_t pairs) {
  Random random(5);
  PairLengths lengths;
  for (int64_t i = 0; i < pairs; ++i) {
    const double source =
        4 + 12 * (random.uniform() + random.uniform() + random.uniform() * random.uniform());
    lengths.source.push_back(static_cast<int32_t>(source));
    lengths.target.push_back(static_cast<int32_t>(1 + source * (0.8 + 0.5 * random.uniform())));
  }
  return lengths;
}

PairBatchingOptions batching(PairRule rule, int64_t max_tokens) {
  PairBatchingOptions options;
  options.rule = rule;
  options.max_tokens = max_tokens;
  return options;
}

struct Longest {
  int64_t source = 0, target = 0;
};
Longest longest_of(const std::vector<int64_t>& batch, const PairLengths& lengths) {
  Longest longest;
  for (const int64_t i : batch) {
    longest.source = std::max<int64_t>(longest.source, lengths.source[index(i)]);
    longest.target = std::max<int64_t>(longest.target, lengths.target[index(i)]);
  }
  return longest;
}

double padding_share(const Plan& plan, const PairLengths& lengths) {
  int64_t all = 0, real = 0;
  for (const auto& batch : plan) {
    const Longest longest = longest_of(batch, lengths);
    all += static_cast<int64_t>(batch.size()) * (longest.source + longest.target);
    for (const int64_t i : batch) real += lengths.source[index(i)] + lengths.target[index(i)];
  }
  return 1 - static_cast<double>(real) / static_cast<double>(all);
}

std::vector<int64_t> sorted_pairs(const Plan& plan) {
  std::vector<int64_t> all;
  for (const auto& batch : plan) all.insert(all.end(), batch.begin(), batch.end());
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<int64_t> first(int64_t n) {
  std::vector<int64_t> all(index(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TEST(PairBatches, HoldEveryPairOnceWithinTheBudget) {
  const PairLengths lengths = caption_lengths(5000);
  for (const PairRule rule : {PairRule::fairseq, PairRule::padded_sum}) {
    const PairPlan plan = plan_pairs(lengths, batching(rule, 1000), 1, 0);
    EXPECT_EQ(sorted_pairs(plan.batches), first(5000));
    for (const auto& batch : plan.batches) {
      const Longest longest = longest_of(batch, lengths);
      const auto pairs = static_cast<int64_t>(batch.size());
      if (rule == PairRule::fairseq) {
        EXPECT_LE(pairs * std::max(longest.source, longest.target), 1000);
        EXPECT_TRUE(pairs < 8 || pairs % 8 == 0) << pairs;
      } else {
        EXPECT_LE(pairs * (longest.source + longest.target), 1000);
      }
    }
  }
}

// Worked by hand: sizes 2 2 2 2 2 2 2 2 2 2 2 9 at 20 tokens. Ten pairs of two fit, of which eight are taken;
// the three that are left do not fit beside the nine (4 × 9), which stands alone.
TEST(PairBatches, AreCutByFairseqsRule) {
  const PairLengths lengths{{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 9}, {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1}};
  Plan plan = plan_pairs(lengths, batching(PairRule::fairseq, 20), 3, 0).batches;
  std::sort(plan.begin(), plan.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  ASSERT_EQ(plan.size(), 3U);
  EXPECT_EQ(plan[0].size(), 8U);
  EXPECT_EQ(plan[1].size(), 3U);
  EXPECT_THAT(plan[2], ElementsAre(11));
  for (const int64_t i : plan[1]) EXPECT_EQ(lengths.target[index(i)], 2) << "shorter targets come first";
}

TEST(PairBatches, OfFairseqAreCutOnceAndShuffledByEpoch) {
  const PairLengths lengths = caption_lengths(2000);
  const auto options = batching(PairRule::fairseq, 600);
  Plan zero = plan_pairs(lengths, options, 1, 0).batches, one = plan_pairs(lengths, options, 1, 1).batches;
  EXPECT_NE(zero, one);
  std::sort(zero.begin(), zero.end());
  std::sort(one.begin(), one.end());
  EXPECT_EQ(zero, one);
}

TEST(PairBatches, ArePureFunctionsOfSeedAndEpoch) {
  const PairLengths lengths = caption_lengths(2000);
  const auto options = batching(PairRule::padded_sum, 600);
  const Plan plan = plan_pairs(lengths, options, 1, 4).batches;
  EXPECT_EQ(plan, plan_pairs(lengths, options, 1, 4).batches);
  EXPECT_NE(plan, plan_pairs(lengths, options, 2, 4).batches);
  EXPECT_NE(plan, plan_pairs(lengths, options, 1, 5).batches);
}

TEST(PairBatches, ArePaddedByLessThanATenth) {
  const PairLengths lengths = caption_lengths(29000);
  EXPECT_LT(padding_share(plan_pairs(lengths, batching(PairRule::padded_sum, 4096), 1, 0).batches, lengths),
            0.1);
  EXPECT_LT(padding_share(plan_pairs(lengths, batching(PairRule::fairseq, 2048), 1, 0).batches, lengths),
            0.2);
}

TEST(PairBatches, HoldNoMoreSentencesThanTold) {
  auto options = batching(PairRule::padded_sum, 4096);
  options.max_sentences = 7;
  for (const auto& batch : plan_pairs(caption_lengths(500), options, 1, 0).batches)
    EXPECT_LE(batch.size(), 7U);
}

TEST(PairBatches, RefuseOrCountWhatIsTooLong) {
  const PairLengths lengths{{3, 90, 3}, {3, 5, 200}};
  auto options = batching(PairRule::padded_sum, 100);
  options.max_positions = 80;
  EXPECT_THAT(message_of<UserError>([&] { plan_pairs(lengths, options, 1, 0); }),
              HasSubstr("training pair 2 of those kept has 90 source and 5 target tokens"));
  options.too_long = TooLong::leave_out;
  const PairPlan plan = plan_pairs(lengths, options, 1, 0);
  EXPECT_EQ(plan.left_out, 2);
  EXPECT_EQ(plan.batches, Plan{{0}});
}

TEST(PairBatches, OfAWholeSetBeginWithTheLongestAndLeaveNothingOut) {
  const PairLengths lengths{{3, 90, 3, 4}, {3, 5, 200, 4}};
  EXPECT_EQ(plan_all_pairs(lengths, 50, 0), (Plan{{1}, {3}, {2}, {0}}));
  EXPECT_EQ(sorted_pairs(plan_all_pairs(caption_lengths(999), 300, 16)), first(999));
}

TEST(PairBatches, ThatAreCutFromOtherThingsHaveAnotherHash) {
  PairsInMemory pairs({{5, 2}}, {{6, 2}});
  const PairBatchingOptions options;
  const std::string hash = cut_hash(pairs, options, 1);
  EXPECT_EQ(hash, cut_hash(pairs, options, 1));
  EXPECT_NE(hash, cut_hash(pairs, options, 2));
  EXPECT_NE(hash, cut_hash(pairs, batching(PairRule::fairseq, options.max_tokens), 1));
  EXPECT_NE(hash, cut_hash(pairs, batching(options.rule, 8192), 1));
  pairs.name = "other pairs";
  EXPECT_NE(hash, cut_hash(pairs, options, 1));
}

TEST(PairBatch, ShiftsTheTargetAndPads) {
  const PairsInMemory pairs({{5, 6, 2}, {7, 2}}, {{8, 2}, {9, 10, 11, 2}});
  const std::vector<int64_t> which{1, 0};
  const PairBatch batch = make_pair_batch(pairs, which);
  EXPECT_EQ(batch.rows, 2);
  EXPECT_EQ(batch.source_length, 3);
  EXPECT_EQ(batch.target_length, 4);
  EXPECT_THAT(batch.source, ElementsAre(7, 2, 1, 5, 6, 2));
  EXPECT_THAT(batch.source_lengths, ElementsAre(2, 3));
  EXPECT_THAT(batch.target_input, ElementsAre(2, 9, 10, 11, 2, 8, 1, 1));
  EXPECT_THAT(batch.target_output, ElementsAre(9, 10, 11, 2, 8, 2, 1, 1));
  EXPECT_THAT(batch.target_lengths, ElementsAre(4, 2));
  EXPECT_THAT(batch.pairs, ElementsAre(1, 0));
  EXPECT_EQ(batch.source_tokens, 5);
  EXPECT_EQ(batch.target_tokens, 6);
  EXPECT_THAT(make_pair_batch(pairs, which, SourcePadding::left).source, ElementsAre(1, 7, 2, 5, 6, 2));
}

}  // namespace
}  // namespace attnlab
