// Decoding at a held depth: that its figures agree with one another and with what a cache must hold.
#include "tasks/speed/decode_speed.h"

#include <gtest/gtest.h>

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "core/memory.h"
#include "system_allocator.h"
#include "tasks/memory_record.h"
#include "tasks/refused_options.h"
#include "tasks/speed/expected_share.h"

namespace attnlab {
namespace {

constexpr int64_t kLayers = 2, kHeadsTimesSize = 32, kFloat = 4;

class DecodeSpeed : public testing::Test {
 protected:
  DecodeSpeed() {
    install_counting_allocator();
    options.decoder.sizes.vocabulary = 50;
    options.decoder.sizes.dim = kHeadsTimesSize;
    options.decoder.sizes.ffn_dim = 64;
    options.decoder.sizes.layers = kLayers;
    options.decoder.sizes.heads = 4;
    options.context = 100;
    options.tokens = 20;
    options.warm_up = 3;
    options.batch_size = 3;
    options.read_bytes = 1 << 20;
    keep("tova", 16);
  }
  void keep(const std::string& policy, int64_t size) {
    ASSERT_TRUE(options.cache.policy.select(policy));
    options.cache.size = size;
  }
  void measure() {
    for (const Table& t : options.tables()) record.define(t);
    options.run({}, record);
  }
  static void expect_refused(const std::vector<std::string>& overrides, const std::string& sentence) {
    expect_refused_options<DecodeSpeedOptions>(overrides, sentence);
  }
  double figure(const std::string& name) const { return record.summaries.at(name).value; }
  template <class T>
  std::vector<T> column(std::size_t i) {
    std::vector<T> all;
    for (const auto& row : record.tables["/decode"]) all.push_back(std::get<T>(row[i]));
    return all;
  }

  DecodeSpeedOptions options;
  MemoryRecord record;
};

TEST_F(DecodeSpeed, WritesItsHeadlinesAndARowAnInterval) {
  options.interval = 8;
  measure();
  for (const Headline& h : options.headlines()) {
    ASSERT_TRUE(record.summaries.count(h.name)) << h.name;
    EXPECT_EQ(record.summaries.at(h.name).unit, h.unit) << h.name;
  }
  EXPECT_EQ(record.summaries.size(), options.headlines().size() + 2) << "and the quartiles of its steps";
  EXPECT_EQ(column<int64_t>(0), (std::vector<int64_t>{0, 8, 16}));
  EXPECT_EQ(column<int64_t>(1), (std::vector<int64_t>{8, 8, 4}));
}

TEST_F(DecodeSpeed, FiguresFollowFromTimesAndBytes) {
  options.tokens = 5;
  measure();
  std::vector<double> seconds = column<double>(3);
  std::sort(seconds.begin(), seconds.end());
  EXPECT_EQ(figure("step_seconds"), seconds[2]);
  EXPECT_EQ(figure("step_seconds_first_quartile"), seconds[1]);
  EXPECT_EQ(figure("step_seconds_third_quartile"), seconds[3]);
  EXPECT_EQ(record.summaries.at("step_seconds_first_quartile").meaning,
            "first quartile of step_seconds over its timed steps");
  EXPECT_DOUBLE_EQ(figure("tokens_per_second"), 3 / seconds[2]);
  expect_share(figure("read_share"),
               (figure("weight_bytes") + figure("cache_bytes")) / seconds[2] / figure("read_rate"));
}

TEST_F(DecodeSpeed, CachesHoldWhatTheyMust) {
  measure();
  const double state = 2.0 * kHeadsTimesSize * kFloat * kLayers * 3;  // key and value, 3 texts
  EXPECT_EQ(figure("cache_bytes"), 17 * state) << "k + 1 states";
  keep("full", 100);
  measure();
  EXPECT_EQ(figure("cache_bytes"), 100 * state) << "the context, allocated once";
}

TEST_F(DecodeSpeed, HoldsNoMoreMemoryAfterManyTokensThanAfterOne) {
  options.context = 400;
  options.tokens = 300;
  for (const char* policy : {"tova", "window", "h2o", "random", "full"}) {
    keep(policy, 16);
    measure();
    EXPECT_EQ(figure("tensor_growth"), 0) << policy;
    for (const int64_t bytes : column<int64_t>(4)) EXPECT_EQ(bytes, figure("cache_bytes")) << policy;
  }
}

TEST_F(DecodeSpeed, AStepReadsAllWeightsButTheTableOfEmbeddings) {
  measure();
  const double d = kHeadsTimesSize, layer = 4 * d * d + 3 * d * 64 + 2 * d;
  EXPECT_EQ(figure("weight_bytes"), kFloat * (kLayers * layer + d + 50 * d));
  options.decoder.sizes.tied_embeddings = true;
  measure();
  EXPECT_EQ(figure("weight_bytes"), kFloat * (kLayers * layer + d + 50 * d))
      << "the table is the output's weight";
}

TEST_F(DecodeSpeed, NamesTheThreadsThatItWasAskedFor) {
  const int before = at::get_num_threads();
  options.thread_counts = {1, 2};
  measure();
  EXPECT_GT(figure("tokens_per_second_1_thread"), 0);
  EXPECT_GT(figure("tokens_per_second_2_threads"), 0);
  EXPECT_EQ(record.rows("/decode"), 2 * options.tokens);
  EXPECT_EQ(at::get_num_threads(), before);
}

TEST_F(DecodeSpeed, ReadsAModelsFolder) {
  options.decoder.model = ATTNLAB_SOURCE_DIR "/tests/golden/decoders/llama";  // 64 positions
  options.context = 60;
  options.tokens = 10;
  measure();
  EXPECT_GT(figure("tokens_per_second"), 0);
}

TEST_F(DecodeSpeed, RandomWeightsNeedAVocabulary) {
  expect_refused({}, "sizes: needs a vocabulary of at least one token");
}

TEST_F(DecodeSpeed, RefusesWhatItWouldIgnore) {
  expect_refused({"sizes.vocabulary=9", "thread_counts=[1,1]"},
                 "thread_counts: must name at least one number");
  expect_refused({"sizes.vocabulary=9", "cache.protect=[a]"}, "cache: protects strings");
  expect_refused({"sizes.vocabulary=9", "context=20"}, "context: of 20 tokens leaves none");
  expect_refused({"sizes.vocabulary=9", "batch_size=0"},
                 "batch_size: of 0 means as many texts as memory_budget");
}

TEST_F(DecodeSpeed, TheBoundFollowsFromTheRatesMeasured) {
  options.tokens = 5;
  options.decoder.sizes.kv_heads = 2;  // a key-value head answers two query heads
  measure();
  const double weights = figure("weight_bytes"), caches = figure("cache_bytes");
  const double read = figure("read_rate"), product = figure("product_rate");
  const double least = std::max(weights / read, 2 * 3 * weights / kFloat / product) +
                       std::max(caches / read, 2 * 2 * caches / kFloat / product);
  EXPECT_NEAR(figure("least_seconds"), least, 1e-9 * least);
  expect_share(figure("bound_share"), least / figure("step_seconds"));
  EXPECT_DOUBLE_EQ(figure("prompt_tokens_per_second"), (100 - 5 - 3) / figure("prompt_seconds"));
}

/// A model whose caches are large beside all else that a process does.
class DecodeWithin : public DecodeSpeed {
 protected:
  DecodeWithin() {
    options.decoder.sizes.vocabulary = 4000;  // logits of all texts are no small part
    options.decoder.sizes.layers = 4;
    options.decoder.sizes.dim = 256;
    options.context = 2048;
    options.tokens = 4;
    options.warm_up = 1;
    options.batch_size = 0;
    options.memory_budget = 0.25;
  }
  void expect_as_many_as_fit();
};

void DecodeWithin::expect_as_many_as_fit() {
  const std::vector<std::pair<const char*, int64_t>> cases = {
      {"full", 2048}, {"tova", 256}, {"tova", 16}, {"window", 256}, {"h2o", 256}};
  for (const auto& [policy, size] : cases) {
    keep(policy, size);
    measure();
    const double budget = 0.25 * (1 << 30), peak = figure("resident_peak");
    EXPECT_LE(peak, budget) << policy;
    EXPECT_GT(peak, 0.7 * budget) << policy << ": the estimate leaves too much unused";
    EXPECT_GT(figure("batch"), 5) << policy;
    EXPECT_LT(figure("cache_bytes"), peak) << policy;
    EXPECT_EQ(figure("cache_bytes"), figure("batch") * figure("text_cache_bytes")) << policy;
  }
}

/// In a process of its own: what earlier tests have freed may still be resident, and would not count again.
TEST_F(DecodeWithin, AsManyTextsAsFitAndNotOneMore) {
  ATTNLAB_NEEDS_SYSTEM_ALLOCATOR();
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto status = [&] {
    expect_as_many_as_fit();
    return HasFailure() ? 1 : 0;
  };
  EXPECT_EXIT(std::_Exit(status()), testing::ExitedWithCode(0), "");
}

TEST_F(DecodeWithin, ABoundedCacheLetsMoreTextsIn) {
  ATTNLAB_NEEDS_SYSTEM_ALLOCATOR();
  keep("full", 2048);
  measure();
  const double full = figure("batch");
  keep("tova", 256);
  measure();
  EXPECT_GT(figure("batch"), 5 * full);
  EXPECT_LE(figure("batch"), 8 * full + 8);
}

TEST_F(DecodeWithin, BatchSizeIsTheMost) {
  options.batch_size = 3;
  measure();
  EXPECT_EQ(figure("batch"), 3);
}

TEST_F(DecodeWithin, ABudgetTooSmallForOneTextIsRefused) {
  keep("full", 2048);
  options.memory_budget = 0.01;
  try {
    measure();
    FAIL() << "10 MiB hold neither the cache of 16 MiB nor the weights";
  } catch (const UserError& e) {
    EXPECT_NE(std::string(e.what()).find("memory_budget of 0.01 GiB does not hold one text"),
              std::string::npos)
        << e.what();
  }
}

TEST_F(DecodeWithin, TheBudgetIsWhatASweepReckonsWith) {
  for (const char* policy : {"full", "tova"}) {
    keep(policy, 256);
    EXPECT_LE(static_cast<double>(options.memory(torch::kCPU)), 0.25 * (1 << 30)) << policy;
    EXPECT_GT(static_cast<double>(options.memory(torch::kCPU)), 0.2 * (1 << 30)) << policy;
  }
}

TEST_F(DecodeSpeed, EstimatesTheMemoryOfItsCaches) {
  options.cache.policy.select("full");
  options.context = 100000;
  options.batch_size = 64;
  const double states = 100000.0 * 2 * kHeadsTimesSize * kLayers * kFloat * 64;
  EXPECT_GT(static_cast<double>(options.memory(torch::kCPU)), states);
  EXPECT_LT(static_cast<double>(options.memory(torch::kCPU)), 2 * states);
}

}  // namespace
}  // namespace attnlab
