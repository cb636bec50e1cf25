// The task perplexity on tiny random decoders: what it writes, what may not change a loss, resuming,
// mistakes.
#include "tasks/language/perplexity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/random.h"
#include "io/hf_folder.h"
#include "tasks/language/perplexity_fixture.h"
#include "tasks/moderated.h"

namespace attnlab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// `n` token ids of a vocabulary of 40.
std::vector<int64_t> ids_of(uint64_t seed, int64_t n) {
  Random random(seed);
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < n; ++i) ids.push_back(static_cast<int64_t>(random.below(40)));
  return ids;
}

/// The same as a line of JSON.
std::string random_ids(uint64_t seed, int64_t n) {
  std::string line;
  for (const int64_t id : ids_of(seed, n)) line += (line.empty() ? "[" : ", ") + std::to_string(id);
  return line + "]\n";
}

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

void expect_near(const std::vector<double>& found, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found[i], expected[i], tolerance) << "token " << i;
}

class Perplexities : public PerplexityTask {
 protected:
  Perplexities() {
    read_ids(random_ids(1, 60) + random_ids(2, 17) + random_ids(3, 33) + random_ids(4, 60));
    options.record_tokens = true;
  }
  std::string mistake() {
    try {
      run();
    } catch (const UserError& e) {
      return e.what();
    }
    ADD_FAILURE() << "nothing was refused";
    return "";
  }
};

TEST_F(Perplexities, KeepSumsOfEveryDocument) {
  const MemoryRecord record = run();
  const auto& rows = record.tables.at("/eval/test");
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(std::get<std::string>(rows[1][kId]), "chunks:2");
  EXPECT_EQ(whole(rows[1][kTokens]), 16);  // nothing predicts the first of 17
  const auto nll = column(record, "/eval/test", kNll), tokens = column(record, "/eval/test", kTokens);
  // Added in another order: 166 roundings of a double near 900.
  EXPECT_NEAR(sum(nll), sum(token_losses(record)), 166 * 1.2e-13);
  EXPECT_DOUBLE_EQ(record.summaries.at("perplexity").value, std::exp(sum(nll) / sum(tokens)));
  double mean = 0;
  for (std::size_t i = 0; i < 4; ++i) mean += std::exp(nll[i] / tokens[i]) / 4;
  EXPECT_NEAR(record.summaries.at("perplexity_per_book").value, mean, 1e-9);
  EXPECT_EQ(record.summaries.at("scored_tokens").value, 166);
  EXPECT_FALSE(record.summaries.contains("bits_per_byte"));  // no text stands behind the ids
}

TEST_F(Perplexities, KeepTheLossByPosition) {
  options.position_ranges = 3;
  const MemoryRecord record = run();
  EXPECT_EQ(column(record, "/eval/position", 0), (std::vector<double>{0, 20, 40}));
  EXPECT_EQ(column(record, "/eval/position", 2), (std::vector<double>{19 + 16 + 19 + 19, 20 + 13 + 20, 40}));
  EXPECT_NEAR(sum(column(record, "/eval/position", 3)), sum(column(record, "/eval/test", kNll)), 1e-9);
}

TEST_F(Perplexities, BeyondTheCacheAreOfThePositionsFromItsSizeOn) {
  options.position_ranges = 3;
  keep("window", 20);
  const MemoryRecord record = run();
  double nll = 0, tokens = 0;
  for (const auto& row : record.tables.at("/tokens"))
    if (whole(row[2]) >= 20) {
      nll += std::get<double>(row[4]);
      ++tokens;
    }
  EXPECT_NEAR(record.summaries.at("perplexity_beyond_cache").value, std::exp(nll / tokens), 1e-9);
  keep("window", 21);  // no range begins there
  EXPECT_FALSE(run().summaries.contains("perplexity_beyond_cache"));
  keep("full", 20);
  EXPECT_FALSE(run().summaries.contains("perplexity_beyond_cache"));
}

/// The documents have 60, 17, 33 and 60 tokens; with 33 states the third is the last of which nothing goes.
TEST_F(Perplexities, SayWhichDocumentsNeverFilledTheCache) {
  const auto never_full = [this] {
    ::testing::internal::CaptureStderr();
    const double count = run().summaries.at("documents_never_full").value;
    EXPECT_EQ(::testing::internal::GetCapturedStderr().find("documents never filled") != std::string::npos,
              count > 0);
    return count;
  };
  keep("tova", 16);
  EXPECT_EQ(never_full(), 0);
  keep("tova", 17);
  EXPECT_EQ(never_full(), 1);
  keep("tova", 33);
  EXPECT_EQ(never_full(), 2);
  options.cache.budget = Budget::list;
  options.cache.sizes = {60, 17};  // the second layer drops states of the third document
  EXPECT_EQ(never_full(), 1);
  options.cache.only_layers = {0};
  EXPECT_EQ(never_full(), 4);
  keep("full", 8);
  EXPECT_FALSE(run().summaries.contains("documents_never_full"));
}

/// What two runs are paired by, at positions where one of them has dropped something.
TEST_F(Perplexities, KeepTheLossByPositionOfEveryDocument) {
  options.position_ranges = 3;
  const MemoryRecord record = run();
  const auto documents = column(record, "/eval/test_position", 0);
  EXPECT_EQ(documents, (std::vector<double>{0, 0, 0, 1, 2, 2, 3, 3, 3})) << "60, 17, 33 and 60 tokens";
  const auto first = column(record, "/eval/test_position", 2);
  EXPECT_EQ(first, (std::vector<double>{0, 20, 40, 0, 0, 20, 0, 20, 40}));
  double nll = 0, tokens = 0;
  for (const auto& row : record.tables.at("/tokens"))
    if (whole(row[0]) == 2 && whole(row[2]) >= 20) {
      nll += real(row[4]);
      ++tokens;
    }
  const auto& last_of_third = record.tables.at("/eval/test_position").at(5);
  EXPECT_EQ(std::get<std::string>(last_of_third[1]), "chunks:3");
  EXPECT_EQ(whole(last_of_third[3]), tokens);
  EXPECT_NEAR(real(last_of_third[4]), nll, 1e-9);
}

/// Windows of 12 tokens that begin 5 apart, each read alone by the model as it is trained, and the loss of
/// what is new.
TEST_F(Perplexities, WithAStrideScoreEachTokenInTheLongestContextThatItHas) {
  options.model = moderated(ATTNLAB_SOURCE_DIR "/tests/golden/decoders/tied", folder / "moderate");
  options.tokenizer = ATTNLAB_SOURCE_DIR "/tests/golden/small_tokenizer.model";
  const std::string text = "A little girl saw a big red ball in the park and said yes.";
  read_texts(file("texts/a.txt", text));
  options.chunks = {.length = 12, .stride = 5, .bos = BosPolicy::none};
  const auto found = token_losses(run());
  const std::vector<int64_t> ids = Tokenizer::open(options.tokenizer).encode(text, false);
  HfModel model = load_hf_folder(options.model);
  const torch::NoGradGuard no_grad;
  std::vector<double> expected;
  const auto n = static_cast<int64_t>(ids.size());
  for (int64_t begin = 0, done = 1; done < n; begin += 5) {
    const int64_t end = std::min(n, begin + 12);
    const torch::Tensor window = torch::tensor(ids).slice(0, begin, end);
    const torch::Tensor logits =
        model.decoder->logits(model.decoder->forward_training(window.unsqueeze(0)))[0];
    const torch::Tensor nll = torch::cross_entropy_loss(logits.slice(0, 0, -1).to(torch::kDouble),
                                                        window.slice(0, 1), {}, at::Reduction::None);
    for (; done < end; ++done) expected.push_back(nll[done - begin - 1].item<double>());
  }
  EXPECT_EQ(n, static_cast<int64_t>(found.size()) + 1);
  expect_near(found, expected, 1e-5);
}

TEST_F(Perplexities, UnderAPolicyThatDropsNothingOfAnyTextAreRefused) {
  keep("tova", 8);
  options.cache.prompt = Prompt::pieces;
  options.cache.piece = 60;
  EXPECT_THAT(mistake(),
              HasSubstr("cache.piece: states are dropped every 60 tokens, and the longest chunk has "
                        "60: nothing would be dropped"));
}

TEST_F(Perplexities, OfTokenIdsTakeTheShareOfTheLongestText) {
  options.cache.share = "1/4";
  EXPECT_EQ(options.cut(60).length, 60);
  options.baseline = true;
  EXPECT_EQ(options.cut(60).length, 15);
  options.cache.share = "";
  options.cache.size = 1;
  EXPECT_THAT(mistake(), HasSubstr("cuts chunks of cache.size tokens, which must be at least 2"));
}

TEST_F(Perplexities, DoNotDependOnBatchesAndSlices) {
  options.model = moderated(options.model, folder / "moderate");
  for (const char* policy : {"full", "tova", "window"}) {
    keep(policy, 8);
    options.batch_size = 1;
    options.slice = 8192;
    const auto alone = token_losses(run());
    options.batch_size = 3;  // the second chunk is padded
    expect_near(token_losses(run()), alone, 1e-5);
    options.slice = 7;
    expect_near(token_losses(run()), alone, 1e-5);
  }
  options.cache.prompt = Prompt::pieces;  // which slices do not cut
  options.cache.piece = 5;
  const auto sliced = token_losses(run());
  options.slice = 8192;
  expect_near(token_losses(run()), sliced, 1e-5);
}

TEST_F(Perplexities, OfACacheThatHoldsTheChunkAreThoseOfAFullOne) {
  const auto full = token_losses(run());
  keep("tova", 64);
  expect_near(token_losses(run()), full, 1e-5);
  keep("tova", 8);
  EXPECT_GT(std::abs(sum(token_losses(run())) - sum(full)), 1e-3);
}

TEST_F(Perplexities, OfTheBaselineAreThoseOfShortChunks) {
  read_ids("[3, 1, 4, 1, 5, 9, 2, 6, 5, 3]");
  keep("tova", 4);
  options.baseline = true;
  const auto baseline = token_losses(run());
  options.baseline = false;
  keep("full", 4);
  read_ids("[3, 1, 4, 1]\n[5, 9, 2, 6]\n[5, 3]");
  expect_near(baseline, token_losses(run()), 1e-6);
}

TEST_F(Perplexities, GoOnWhereTheSurpriseOfEachTokenIsNeeded) {
  keep("surprisal", 8);
  const MemoryRecord record = run();
  EXPECT_EQ(token_losses(record).size(), 166U);
}

TEST_F(Perplexities, RecordWhenEachTokenWasDropped) {
  keep("window", 8);
  options.record_expiry = 1;
  const MemoryRecord record = run();
  ASSERT_EQ(record.arrays.size(), 1U);  // the first chunk alone
  const Array& array = record.arrays.at("/cache/document_0/chunk_0");
  ASSERT_EQ(array.values.size(), 2U * 60);  // in two layers
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    const auto position = static_cast<int64_t>(i % 60);
    EXPECT_EQ(array.values[i], position + 8 < 60 ? position + 8 : -1);  // seen by itself and 8 more
  }
  std::vector<std::vector<int64_t>> scales;
  for (const Dimension& dimension : array.dimensions) scales.push_back(dimension.at);
  EXPECT_EQ(scales, (std::vector<std::vector<int64_t>>{{0, 1}, {0}, ids_of(1, 60)}));
}

TEST_F(Perplexities, RecordWhenEachTokenOfAChunkWasDroppedAndNoPadding) {
  keep("window", 8);
  options.batch_size = 3;
  options.record_expiry = 3;
  const MemoryRecord record = run();
  ASSERT_EQ(record.arrays.size(), 3U);
  for (const auto& [path, length] : {std::pair{"/cache/document_0/chunk_0", 60},
                                     {"/cache/document_1/chunk_0", 17},
                                     {"/cache/document_2/chunk_0", 33}}) {
    const Array& array = record.arrays.at(path);
    ASSERT_EQ(array.values.size(), 2U * length) << path;
    for (int i = 0; i < 2 * length; ++i)
      EXPECT_EQ(array.values[i], i % length + 8 < length ? i % length + 8 : -1) << path;
  }
}

TEST_F(Perplexities, RecordGroupsOfHeadsAndLeaveOutLayersThatKeepAll) {
  keep("h2o", 8);
  options.cache.only_layers = {1};
  options.record_expiry = 1;
  const Array array = run().arrays.at("/cache/document_0/chunk_0");
  EXPECT_EQ(array.dimensions[0].at, std::vector<int64_t>{1});
  ASSERT_EQ(array.values.size(), array.dimensions[1].at.size() * 60);
  EXPECT_GT(array.dimensions[1].at.size(), 1U);
  // Whatever goes first: every token after the eighth drops one, which none after it can attend to.
  for (std::size_t group = 0; group < array.dimensions[1].at.size(); ++group) {
    std::vector<int64_t> dropped;
    for (std::size_t t = 0; t < 60; ++t)
      if (const int64_t expiry = array.values[group * 60 + t]; expiry >= 0) dropped.push_back(expiry);
    std::ranges::sort(dropped);
    std::vector<int64_t> expected(dropped.size());
    std::iota(expected.begin(), expected.end(), 8);
    EXPECT_EQ(dropped.size(), 60U - 8);
    EXPECT_EQ(dropped, expected);
  }
  options.cache.only_layers.clear();
  keep("full", 8);
  EXPECT_TRUE(run().arrays.empty());
}

TEST_F(Perplexities, ReportTheBytesOfTheCache) {
  keep("tova", 7);
  // keys and values, 2 layers, k + 1 states of 4 heads of 8 numbers in fp32
  EXPECT_EQ(run().summaries.at("cache_bytes").value, 2 * 2 * 8 * 32 * 4);
}

TEST_F(Perplexities, TakeTheFirstDocumentsWhereLimited) {
  const auto all = token_losses(run());
  options.documents = 2;
  const MemoryRecord record = run();
  EXPECT_EQ(record.tables.at("/eval/test").size(), 2U);
  expect_near(token_losses(record), {all.begin(), all.begin() + 59 + 16}, 1e-6);
}

// Resuming

class ResumedPerplexities : public Perplexities {
 protected:
  ResumedPerplexities() {
    keep("tova", 8);
    options.record_expiry = 3;
    for (const Table& t : options.tables()) record.define(t);
  }
  /// The run that ends after its first document is on disk, with rows of others in the tables.
  void cut_off() {
    FailingRecord failing(record, 1);
    EXPECT_THROW(options.run(context("cut"), failing), RunError);
    EXPECT_EQ(record.tables.at("/eval/test").size(), 4U);
  }
  static std::map<std::string, std::vector<int64_t>> values_of(const std::map<std::string, Array>& arrays) {
    std::map<std::string, std::vector<int64_t>> values;
    for (const auto& [path, array] : arrays) values[path] = array.values;
    return values;
  }
  MemoryRecord record;
};

TEST_F(ResumedPerplexities, AreThoseOfARunThatWasNotCut) {
  const MemoryRecord expected = run();
  cut_off();
  ::testing::internal::CaptureStderr();
  options.run(context("cut"), record);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("1 documents are done already"));
  EXPECT_EQ(token_losses(record), token_losses(expected));
  EXPECT_EQ(column(record, "/eval/test", kNll), column(expected, "/eval/test", kNll));
  EXPECT_EQ(column(record, "/eval/position", 3), column(expected, "/eval/position", 3));
  EXPECT_EQ(column(record, "/eval/test_position", 4), column(expected, "/eval/test_position", 4));
  EXPECT_EQ(values_of(record.arrays), values_of(expected.arrays));
  EXPECT_EQ(record.arrays.size(), 3U);
  EXPECT_EQ(record.summaries.at("perplexity").value, expected.summaries.at("perplexity").value);
}

TEST_F(ResumedPerplexities, AreRefusedWhereTheDataHaveChanged) {
  cut_off();
  read_ids(random_ids(1, 60) + random_ids(5, 17));
  try {
    options.run(context("cut"), record);
    FAIL() << "nothing was refused";
  } catch (const UserError& e) {
    EXPECT_THAT(e.what(), HasSubstr("the data is not the one with which this run began"));
  }
}

// Mistakes

TEST_F(Perplexities, RefuseIdsOutsideTheVocabulary) {
  read_ids("[1, 2]\n[1, 40]");
  EXPECT_THAT(mistake(), HasSubstr("chunks.jsonl:2: token 1 is 40, outside the model's vocabulary of 40"));
}

TEST_F(Perplexities, RefuseChunksBeyondTheModelsPositions) {
  read_ids(random_ids(1, 65));
  EXPECT_THAT(mistake(), AllOf(HasSubstr("chunks of 65 tokens are longer than the 64 positions"),
                               HasSubstr("past_training=true")));
  options.past_training = true;
  EXPECT_EQ(token_losses(run()).size(), 64U);
}

TEST_F(Perplexities, RefuseARunWithoutAModel) {
  options.model = "";
  EXPECT_THAT(mistake(), HasSubstr("model=FOLDER"));
  options.model = folder.string();
  EXPECT_THAT(mistake(), HasSubstr("holds no model"));
  options.model = (folder / "nowhere").string();
  EXPECT_THAT(mistake(), HasSubstr("there is no folder"));
}

TEST_F(Perplexities, RefuseTextsWithoutATokenizer) {
  read_texts(file("texts/a.txt", "text"));
  EXPECT_THAT(mistake(), HasSubstr("tokenizer.model"));
}

TEST_F(Perplexities, RefuseDocumentsThatHaveNothingToScore) {
  read_ids("[7]");
  EXPECT_THAT(mistake(), HasSubstr("none of the 1 documents has a chunk to score"));
}

TEST_F(Perplexities, RefuseSizesForOtherLayers) {
  keep("tova", 8);
  options.cache.budget = Budget::list;
  options.cache.sizes = {8, 8, 8};
  EXPECT_EQ(mistake(), "cache.sizes has 3 entries, but the model in " + options.model +
                           " has 2 layers, each of which needs one");
}

TEST_F(Perplexities, RefuseInitFrom) {
  MemoryRecord record;
  RunContext c = context("other");
  c.init_from = "somewhere";
  EXPECT_THROW(options.run(c, record), UserError);
}

}  // namespace
}  // namespace attnlab
