// Perplexity of a pre-trained model against transformers (full cache) and against a decoder written in numpy
// that reads token by token (bounded caches): tests/golden/make_bounded_nll.py. The model is in the mirror.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/files.h"
#include "mirror.h"
#include "tasks/language/perplexity_fixture.h"

namespace attnlab {
namespace {

using Json = nlohmann::json;

constexpr double kTolerance = 1e-4;

class BoundedGolden : public PerplexityTask {
 protected:
  BoundedGolden() : golden(Json::parse(read_file(ATTNLAB_SOURCE_DIR "/tests/golden/bounded_nll.json"))) {
    options.record_tokens = true;
    keep("full", golden.at("size"));
  }
  void expect(const MemoryRecord& record, const std::string& name) const {
    const auto expected = golden.at("nll").at(name).get<std::vector<double>>();
    const auto found = token_losses(record);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      ASSERT_NEAR(found[i], expected[i], kTolerance) << name << ", token " << i + 1;
  }
  Json golden;
};

TEST_F(BoundedGolden, LossesOfEveryTokenWithAFullCacheAreThoseOfTransformers) {
  ATTNLAB_FROM_MIRROR(model, "models/stories260K");
  options.model = model.string();
  read_ids(golden.at("ids").dump());
  expect(run(), "full");
}

TEST_F(BoundedGolden, LossesWithABoundedCacheAreThoseOfReadingTokenByToken) {
  ATTNLAB_FROM_MIRROR(model, "models/stories260K");
  options.model = model.string();
  read_ids(golden.at("ids").dump());
  for (const char* name : {"window", "window+4", "tova", "h2o"}) {
    keep(std::string(name).substr(0, std::string(name).find('+')), golden.at("size"));
    options.cache.protect_first = std::string(name).ends_with("+4") ? 4 : 0;
    options.cache.policy->heads = Heads::layer_wise;
    expect(run(), name);
  }
}

TEST_F(BoundedGolden, ATextGivesTheSameAsItsIds) {
  ATTNLAB_FROM_MIRROR(model, "models/stories260K");
  options.model = model.string();
  read_texts(ATTNLAB_SOURCE_DIR "/tests/golden/story.txt");
  options.chunks.length = 512;
  const MemoryRecord record = run();
  expect(record, "full");
  const std::string story = read_file(ATTNLAB_SOURCE_DIR "/tests/golden/story.txt");
  const auto& row = record.tables.at("/eval/test").front();
  EXPECT_EQ(std::get<std::string>(row[kId]), "story");
  EXPECT_EQ(whole(row[kTokens]), static_cast<int64_t>(golden.at("ids").size()) - 1);
  EXPECT_EQ(whole(row[kBytes]), static_cast<int64_t>(story.size()));
  EXPECT_EQ(whole(row[kWords]), 223);  // wc -w
  const auto nll = golden.at("nll").at("full").get<std::vector<double>>();
  const double sum = std::accumulate(nll.begin(), nll.end(), 0.0);
  EXPECT_NEAR(record.summaries.at("bits_per_byte").value,
              sum / std::log(2) / static_cast<double>(story.size()), 1e-5);
  EXPECT_NEAR(record.summaries.at("word_perplexity").value, std::exp(sum / 223), 1e-2);
}

/// What is counted belongs to the tokens that are scored: chunks without BOS leave out each one's first
/// token.
TEST_F(BoundedGolden, CountsBelongToTheScoredTokens) {
  ATTNLAB_FROM_MIRROR(model, "models/stories260K");
  options.model = model.string();
  read_texts(file("texts/short.txt", "One day, Lily and Max ran\nhome."));
  options.chunks.length = 512;
  options.chunks.bos = BosPolicy::none;
  const MemoryRecord whole_text = run();
  const auto& row = whole_text.tables.at("/eval/test").front();
  EXPECT_EQ(whole(row[kBytes]), 31 - 3);  // "One" has no token before it
  EXPECT_EQ(whole(row[kWords]), 7 - 1);
}

TEST_F(BoundedGolden, ChunksAddUpToTheirDocument) {
  ATTNLAB_FROM_MIRROR(model, "models/stories260K");
  options.model = model.string();
  read_texts(ATTNLAB_SOURCE_DIR "/tests/golden/story.txt");
  options.chunks.length = 100;
  const MemoryRecord record = run();
  const auto& row = record.tables.at("/eval/test").front();
  EXPECT_EQ(whole(row[kChunks]), 5);  // 464 tokens in chunks of 99 and a BOS
  EXPECT_EQ(whole(row[kTokens]), static_cast<int64_t>(golden.at("ids").size()) - 1);
  EXPECT_EQ(whole(row[kWords]), 223);
  options.chunks.max_tokens = 99;
  const MemoryRecord cut = run();
  EXPECT_EQ(whole(cut.tables.at("/eval/test").front()[kTokens]), 99);
  EXPECT_LT(whole(cut.tables.at("/eval/test").front()[kWords]), 60);
}

}  // namespace
}  // namespace attnlab
