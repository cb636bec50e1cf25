#include "data/batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "core/error.h"
#include "core/random.h"
#include "data/temporary.h"

namespace attnlab {
namespace {

using ::testing::ElementsAre;
using testing::InMemory;
using Plan = std::vector<std::vector<int64_t>>;

EncodingOptions encoding(int64_t max_length, bool cls = true, bool eos = true) {
  EncodingOptions options;
  options.max_length = max_length;
  options.cls = cls;
  options.eos = eos;
  return options;
}

BatchingOptions batching(int64_t size, int64_t bucket) {
  BatchingOptions options;
  options.batch_size = size;
  options.bucket = bucket;
  return options;
}

std::vector<int64_t> random_lengths(std::size_t n) {
  Random random(3);
  std::vector<int64_t> lengths(n);
  for (auto& length : lengths) length = 1 + static_cast<int64_t>(random.below(1000));
  return lengths;
}

std::vector<int64_t> flat(const Plan& plan) {
  std::vector<int64_t> all;
  for (const auto& batch : plan) all.insert(all.end(), batch.begin(), batch.end());
  return all;
}

int64_t padding(const Plan& plan, const std::vector<int64_t>& lengths) {
  int64_t count = 0;
  for (const auto& batch : plan) {
    int64_t longest = 0;
    for (const int64_t i : batch) longest = std::max(longest, lengths[static_cast<std::size_t>(i)]);
    for (const int64_t i : batch) count += longest - lengths[static_cast<std::size_t>(i)];
  }
  return count;
}

// The released Luna code has 261 symbols in its vocabulary of bytes: four specials, 256 bytes, <CLS>.
TEST(Layout, HasThePublishedVocabulary) {
  EXPECT_EQ(TokenLayout{}.vocabulary(), 261);
  EXPECT_EQ(TokenLayout{}.cls(), 260);
  EXPECT_EQ(TokenLayout{15}.vocabulary(), 20);
}

TEST(Encoding, IsClsThenSymbolsThenEos) {
  const InMemory data({{'a', 0, 255}}, {1});
  const TokenBatch batch = make_batch(data, std::vector<int64_t>{0}, encoding(100), {});
  EXPECT_THAT(batch.ids, ElementsAre(260, 4 + 'a', 4, 4 + 255, 2));
  EXPECT_THAT(batch.lengths, ElementsAre(5));
  EXPECT_THAT(batch.labels, ElementsAre(1));
  EXPECT_FALSE(batch.padded());
}

TEST(Encoding, CutsFromTheStartSoThatLongTextsLoseEos) {
  const InMemory data({{1, 2, 3}});
  const auto ids = [&](const EncodingOptions& options) {
    return make_batch(data, std::vector<int64_t>{0}, options, {}).ids;
  };
  EXPECT_THAT(ids(encoding(5)), ElementsAre(260, 5, 6, 7, 2));
  EXPECT_THAT(ids(encoding(4)), ElementsAre(260, 5, 6, 7));
  EXPECT_THAT(ids(encoding(2)), ElementsAre(260, 5));
  EXPECT_THAT(ids(encoding(1)), ElementsAre(260));
  EXPECT_THAT(ids(encoding(4, false, true)), ElementsAre(5, 6, 7, 2));
  EXPECT_THAT(ids(encoding(9, true, false)), ElementsAre(260, 5, 6, 7));
  EXPECT_THAT(ids(encoding(2, false, false)), ElementsAre(5, 6));
}

TEST(Encoding, VisibleSymbolsAreThoseThatTheTokensHold) {
  const std::vector<uint8_t> text = {1, 2, 3};
  EXPECT_EQ(visible_symbols(text, encoding(100)).size(), 3u);
  EXPECT_EQ(visible_symbols(text, encoding(4)).size(), 3u);
  EXPECT_EQ(visible_symbols(text, encoding(3)).size(), 2u);
  EXPECT_EQ(visible_symbols(text, encoding(3, false)).size(), 3u);
  EXPECT_EQ(visible_symbols(text, encoding(1)).size(), 0u);
}

TEST(Encoding, PadsOnTheRightToTheLongestRow) {
  const InMemory data({{1}, {2, 3, 4}, {}});
  const TokenBatch batch = make_batch(data, std::vector<int64_t>{2, 1, 0}, encoding(100), {});
  EXPECT_EQ(batch.rows, 3);
  EXPECT_EQ(batch.length, 5);
  EXPECT_THAT(batch.ids, ElementsAre(260, 2, 1, 1, 1,  //
                                     260, 6, 7, 8, 2,  //
                                     260, 5, 2, 1, 1));
  EXPECT_THAT(batch.lengths, ElementsAre(2, 5, 3));
  EXPECT_THAT(batch.examples, ElementsAre(2, 1, 0));
  EXPECT_TRUE(batch.padded());
}

TEST(Encoding, OfTextsOutsideADataSetHasNoLabels) {
  const TokenBatch batch = make_batch({{7}, {8, 9}}, encoding(100), {15});
  EXPECT_THAT(batch.ids, ElementsAre(19, 11, 2, 1, 19, 12, 13, 2));
  EXPECT_THAT(batch.labels, ElementsAre(-1, -1));
  EXPECT_THAT(batch.examples, ElementsAre(0, 1));
}

TEST(Encoding, RefusesATextThatLeavesNothingToRead) {
  const std::string said =
      testing::message_of<UserError>([] { make_batch({{}}, encoding(100, false, false), {}); });
  EXPECT_THAT(said, ::testing::HasSubstr("empty text"));
}

TEST(Encoding, RefusesSymbolsOutsideTheLayout) {
  EXPECT_THROW(make_batch({{15}}, encoding(100), {15}), std::logic_error);
}

TEST(Encoding, LengthsAgreeWithBatches) {
  const InMemory data({{}, {1}, {1, 2, 3, 4, 5, 6}});
  for (const auto& options : {encoding(5), encoding(8, true, false), encoding(1)})
    for (int64_t i = 0; i < data.size(); ++i)
      EXPECT_EQ(token_lengths(data, options)[static_cast<std::size_t>(i)],
                make_batch(data, std::vector<int64_t>{i}, options, {}).length);
}

class Epochs : public ::testing::TestWithParam<int64_t> {  // the parameter is `bucket`
 protected:
  std::vector<int64_t> lengths = random_lengths(1003);
  BatchingOptions options = batching(32, GetParam());
};

TEST_P(Epochs, HoldEveryExampleOnceInBatchesOfExactSize) {
  for (const int64_t epoch : {0, 1, 7}) {
    const Plan plan = plan_epoch(lengths, options, 5, epoch);
    std::vector<int64_t> all = flat(plan);
    std::sort(all.begin(), all.end());
    std::vector<int64_t> expected(lengths.size());
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(all, expected);
    ASSERT_EQ(plan.size(), 32u);  // 31 × 32 + 11
    for (std::size_t b = 0; b + 1 < plan.size(); ++b) EXPECT_EQ(plan[b].size(), 32u);
    EXPECT_EQ(plan.back().size(), 11u);
  }
}

TEST_P(Epochs, DependOnSeedAndEpochAlone) {
  const Plan plan = plan_epoch(lengths, options, 5, 2);
  EXPECT_EQ(plan, plan_epoch(lengths, options, 5, 2));
  EXPECT_NE(plan, plan_epoch(lengths, options, 5, 3));
  EXPECT_NE(plan, plan_epoch(lengths, options, 6, 2));
}

TEST_P(Epochs, OfAWholeNumberOfBatchesHaveNoShortOne) {
  lengths.resize(96);
  for (const auto& batch : plan_epoch(lengths, options, 1, 0)) EXPECT_EQ(batch.size(), 32u);
  EXPECT_TRUE(plan_epoch({}, options, 1, 0).empty());
}

INSTANTIATE_TEST_SUITE_P(Bucket, Epochs, ::testing::Values(0, 1, 8, 1000));

// Uniform lengths up to 1000: unsorted batches of 32 pad to nearly 1000; sorted windows of 8 batches leave
// about an eighth of that, sorting everything leaves a thirtieth.
TEST(Bucketing, ReducesPadding) {
  const auto lengths = random_lengths(1003);
  const int64_t none = padding(plan_epoch(lengths, batching(32, 0), 5, 0), lengths);
  const int64_t windows = padding(plan_epoch(lengths, batching(32, 8), 5, 0), lengths);
  const int64_t sorted = padding(plan_epoch(lengths, batching(32, 1000), 5, 0), lengths);
  EXPECT_LT(windows, none / 5);
  EXPECT_LT(sorted, windows / 2);
}

TEST(Bucketing, StillShufflesTheOrderOfLengths) {
  const auto lengths = random_lengths(960);
  std::vector<int64_t> longest;
  for (const auto& batch : plan_epoch(lengths, batching(32, 1000), 5, 0))
    longest.push_back(lengths[static_cast<std::size_t>(batch.back())]);
  EXPECT_FALSE(std::is_sorted(longest.begin(), longest.end()));
}

TEST(Evaluation, GoesFromTheLongestToTheShortest) {
  const std::vector<int64_t> lengths = {5, 9, 1, 9, 7};
  EXPECT_EQ(plan_evaluation(lengths, 2), (Plan{{1, 3}, {4, 0}, {2}}));
}

}  // namespace
}  // namespace attnlab
