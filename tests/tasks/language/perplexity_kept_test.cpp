// What a perplexity run says of the tokens that its cache kept: against the expiry that it recorded, after a
// cut as without one, and where there is nothing to say.
#include "tasks/language/perplexity_kept.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.h"
#include "data/token_kinds.h"
#include "tasks/language/perplexity_fixture.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

enum LayerColumn : std::size_t { kLayer, kMeanLife, kRecentShare, kFirstLife, kCensored };

class KeptFigures : public PerplexityTask {
 protected:
  KeptFigures() {
    keep("tova", 8);
    options.record_expiry = 3;
  }
  /// Five chunks of ids below the decoder's 40.
  void read_random_ids() {
    Random random(5);
    std::string lines;
    for (const int length : {60, 17, 33, 60, 9})
      for (int i = 0; i < length; ++i)
        lines += (i ? ", " : "[") + std::to_string(random.below(40)) + (i + 1 < length ? "" : "]\n");
    read_ids(lines);
  }
  /// Texts for a tiny random decoder with a tokenizer of as many pieces.
  void read_book() {
    const fs::path golden = fs::path(ATTNLAB_SOURCE_DIR) / "tests/golden";
    fs::copy(golden / "decoders/tied", folder / "model");
    fs::copy_file(golden / "small_tokenizer.model", folder / "model/tokenizer.model");
    options.model = (folder / "model").string();
    std::string text;
    for (int i = 0; i < 30; ++i) text += "The other times, she said that.\n";
    read_texts(file("book.txt", text));
    options.chunks.length = 48;
  }
  static std::vector<std::string> classes_of(const MemoryRecord& record) {
    std::vector<std::string> names;
    for (const auto& row : record.tables.at("/kept/classes")) names.push_back(std::get<std::string>(row[0]));
    return names;
  }
};

/// Steps that tokens of a layer were attended to, summed over the recorded chunks, and tokens.
std::pair<double, double> lives_of(const MemoryRecord& record, std::size_t layer) {
  double life = 0, tokens = 0;
  for (const auto& [path, array] : record.arrays) {
    const std::size_t n = array.dimensions[2].at.size(), groups = array.dimensions[1].at.size();
    for (std::size_t i = 0; i < groups * n; ++i) {
      const int64_t last = array.values[layer * groups * n + i];
      const auto position = static_cast<int64_t>(i % n);
      life += static_cast<double>((last < 0 ? static_cast<int64_t>(n) - 1 : last) - position + 1) /
              static_cast<double>(groups);
    }
    tokens += static_cast<double>(n);
  }
  return {life, tokens};
}

TEST_F(KeptFigures, AreThoseOfTheRecordedExpiry) {
  read_random_ids();
  for (const char* policy : {"tova", "h2o"}) {  // all heads together, and apart
    keep(policy, 8);
    const MemoryRecord record = run();
    ASSERT_EQ(record.arrays.size(), 3U);
    const auto means = column(record, "/kept/layers", kMeanLife);
    ASSERT_EQ(means.size(), 2U);
    double mean = 0;
    for (std::size_t layer = 0; layer < 2; ++layer) {
      const auto [life, tokens] = lives_of(record, layer);
      EXPECT_NEAR(means[layer], life / tokens, 1e-9);
      mean += life / tokens / 2;
    }
    EXPECT_NEAR(record.summaries.at("mean_life").value, mean, 1e-9);
    EXPECT_EQ(record.summaries.at("mean_life").n, 3);
    // 8 of 60, of 17 and of 33 tokens
    EXPECT_DOUBLE_EQ(record.summaries.at("censored_share").value, 24.0 / 110);
  }
}

TEST_F(KeptFigures, OfAWindowAreKnown) {
  read_random_ids();
  keep("window", 8);
  options.cache.protect_first = 2;
  const MemoryRecord record = run();
  EXPECT_EQ(column(record, "/kept/layers", kFirstLife), std::vector<double>(2, 110.0 / 3));
  EXPECT_DOUBLE_EQ(record.summaries.at("first_token_life_share").value, 1);
  // The first two are no longer recent: both after all steps but the first that drops anything.
  const double steps = 52 + 9 + 25;
  EXPECT_NEAR(record.summaries.at("recent_share").value, (0.75 * (steps - 3) + 3 * 0.875) / steps, 1e-12);
}

TEST_F(KeptFigures, HaveNoClassesWithoutATokenizer) {
  read_random_ids();
  const MemoryRecord record = run();
  EXPECT_EQ(classes_of(record), std::vector<std::string>{"all"});
  EXPECT_FALSE(record.summaries.contains("life_period"));
}

TEST_F(KeptFigures, HaveTheClassesThatTheTextHas) {
  read_book();
  const MemoryRecord record = run();
  EXPECT_THAT(classes_of(record),
              ::testing::IsSupersetOf({"all", ".", ",", "capitalised", "other", "no text"}));
  EXPECT_THAT(classes_of(record), ::testing::Not(::testing::Contains("$")));
  double tokens = 0, life = 0;
  for (const auto& row : record.tables.at("/kept/classes")) {
    const bool all = std::get<std::string>(row[0]) == "all";
    const auto n = static_cast<double>(whole(row[1]));
    tokens += all ? -n : n;
    life += all ? -n * real(row[2]) : n * real(row[2]);
    if (std::get<std::string>(row[0]) == ".") {
      EXPECT_EQ(record.summaries.at("life_period").value, real(row[2]));
    }
  }
  EXPECT_EQ(tokens, 0) << "every token is of one class";
  EXPECT_NEAR(life, 0, 1e-6);
}

TEST_F(KeptFigures, AreLeftOutWhereNothingIsDroppedOrRecorded) {
  read_random_ids();
  options.record_expiry = 0;
  const MemoryRecord without = run();
  EXPECT_FALSE(without.tables.contains("/kept/layers"));
  EXPECT_FALSE(without.summaries.contains("mean_life"));
  for (const Headline& headline : options.headlines()) EXPECT_NE(headline.name, "mean_life");
  options.record_expiry = 3;
  keep("full", 8);
  const MemoryRecord full = run();
  EXPECT_TRUE(full.tables.at("/kept/layers").empty());
  EXPECT_FALSE(full.summaries.contains("mean_life"));
  keep("window", 60);
  EXPECT_FALSE(run().summaries.contains("recent_share"));
}

TEST_F(KeptFigures, OfARunThatWasCutAreThoseOfOneThatWasNot) {
  read_random_ids();
  const MemoryRecord expected = run();
  MemoryRecord record;
  for (const Table& t : options.tables()) record.define(t);
  FailingRecord failing(record, 1);  // the first chunk is in the sums, two more had been read
  EXPECT_THROW(options.run(context("cut"), failing), RunError);
  options.run(context("cut"), record);
  EXPECT_EQ(record.tables.at("/kept/layers"), expected.tables.at("/kept/layers"));
  EXPECT_EQ(record.summaries.at("mean_life").n, 3);
  for (const Headline& h : kept_headlines()) {
    ASSERT_EQ(record.summaries.contains(h.name), expected.summaries.contains(h.name)) << h.name;
    if (!expected.summaries.contains(h.name)) continue;
    EXPECT_EQ(record.summaries.at(h.name).value, expected.summaries.at(h.name).value) << h.name;
    EXPECT_EQ(record.summaries.at(h.name).standard_error, expected.summaries.at(h.name).standard_error);
  }
}

}  // namespace
}  // namespace attnlab
