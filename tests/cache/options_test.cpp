// Sizes of layers, and options that contradict each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include "cache/cache_options.h"
#include "cache/policies/rkv.h"
#include "cache/policies/snapkv_decoding.h"
#include "core/error.h"

namespace attnlab {
namespace {

using testing::Each;
using testing::ElementsAre;

CacheOptions tova(int64_t size) {
  CacheOptions options;
  options.policy.select("tova");
  options.size = size;
  return options;
}

std::string refusal(const CacheOptions& options, int64_t layers) {
  try {
    make_states(options, {.layers = layers, .heads = 2, .kv_heads = 2, .head_dim = 4}, {});
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(CacheSizes, AreTheSameInEveryLayerUnlessAsked) {
  EXPECT_THAT(sizes_of_layers(tova(64), 3), ElementsAre(64, 64, 64));
}

TEST(CacheSizes, MayBeAShareOfTheText) {
  CacheOptions options = tova(64);
  EXPECT_EQ(options.of_text(4096).size, 64) << "without a share the size stands";
  for (const auto& [share, size] : std::map<std::string, int64_t>{
           {"1/8", 512}, {"0.125", 512}, {"1", 4096}, {"3/4", 3072}, {"1/100000", 1}, {"1/3", 1365}}) {
    options.share = share;
    EXPECT_EQ(options.of_text(4096).size, size) << share;
    EXPECT_EQ(options.of_text(4096).of_text(8).size, size) << "once";
  }
}

TEST(CacheSizes, OfThePyramidFallLinearlyWithTheSameSum) {
  CacheOptions options = tova(100);
  options.budget = Budget::pyramid;
  options.pyramid_last = 0.2;
  EXPECT_THAT(sizes_of_layers(options, 5), ElementsAre(180, 140, 100, 60, 20));
  for (const int64_t layers : {1, 2, 3, 7, 8, 32}) {
    const std::vector<int64_t> sizes = sizes_of_layers(options, layers);
    EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), int64_t{0}), 100 * layers) << layers << " layers";
    EXPECT_TRUE(std::is_sorted(sizes.rbegin(), sizes.rend())) << layers << " layers";
  }
}

TEST(CacheSizes, CanBeGivenLayerByLayer) {
  CacheOptions options = tova(64);
  options.budget = Budget::list;
  options.sizes = {8, 16, 32};
  EXPECT_THAT(sizes_of_layers(options, 3), ElementsAre(8, 16, 32));
  EXPECT_EQ(refusal(options, 4), "cache.sizes has 3 entries, but the model has 4 layers");
}

TEST(CacheSizes, BoundOnlyTheLayersNamed) {
  CacheOptions options = tova(64);
  options.only_layers = {1, 3};
  EXPECT_THAT(sizes_of_layers(options, 4), ElementsAre(0, 64, 0, 64));
  options.only_layers = {4};
  EXPECT_EQ(refusal(options, 4), "cache.only_layers names layer 4, but the model has layers 0 to 3");
}

TEST(CacheSizes, OfTheFullCacheAreUnbounded) { EXPECT_THAT(sizes_of_layers(CacheOptions(), 4), Each(0)); }

TEST(CacheOptionsRefuse, APyramidThatLeavesALayerNothing) {
  CacheOptions options = tova(4);
  options.budget = Budget::pyramid;
  options.pyramid_last = 0;
  EXPECT_EQ(refusal(options, 5), "cache.pyramid_last of 0 leaves layer 4 no state");
}

TEST(CacheOptionsRefuse, ALayerSmallerThanItsProtectedStates) {
  CacheOptions options = tova(10);
  options.protect_first = 4;
  options.budget = Budget::list;
  options.sizes = {10, 4};
  EXPECT_EQ(refusal(options, 2),
            "cache.protect_first: protecting the first 4 states leaves no room among the 4 of layer 1");
}

TEST(CacheOptionsRefuse, APolicyForPromptsWithoutAPrompt) {
  CacheOptions options;
  options.policy.select("snapkv");
  EXPECT_EQ(refusal(options, 2),
            "the cache policy snapkv drops states once, after the prompt: it needs prompt: one_shot");
}

TEST(CacheOptionsRefuse, AWindowOfQueriesAsLargeAsTheCache) {
  CacheOptions options;
  options.policy.select("snapkv_decoding");
  options.size = 8;
  EXPECT_EQ(refusal(options, 2), "") << "the default is at most half of the cache";
  dynamic_cast<SnapKvDecodingOptions&>(*options.policy).window = 8;
  EXPECT_EQ(refusal(options, 2),
            "snapkv_decoding keeps the 8 states that it observes: a size of 8 leaves no room for others");
  options.policy.select("rkv");
  EXPECT_EQ(refusal(options, 2), "");
  dynamic_cast<RkvOptions&>(*options.policy).window = 9;
  EXPECT_EQ(refusal(options, 2),
            "rkv keeps the 9 states that it observes: a size of 8 leaves no room for others");
  dynamic_cast<RkvOptions&>(*options.policy).window = 5;
  EXPECT_EQ(refusal(options, 2), "");
  options.protect_first = 3;
  EXPECT_EQ(
      refusal(options, 2),
      "rkv keeps the 5 states that it observes, and the first 3: a size of 8 leaves no room for others");
  options.policy.select("snapkv_decoding");
  EXPECT_EQ(refusal(options, 2), "") << "the default leaves room for them";
}

TEST(SnapKvDecoding, ObservesThirtyTwoQueriesAndNoMoreThanHalfOfTheCache) {
  for (const auto& [size, window] :
       std::map<int64_t, int64_t>{{1, 1}, {2, 1}, {8, 4}, {9, 4}, {64, 32}, {512, 32}}) {
    const std::unique_ptr<Policy> policy = SnapKvDecodingOptions().build({.size = size});
    const std::vector<double> weights(size + 1, 1.0 / static_cast<double>(size + 1));
    std::vector<int64_t> order(size + 1, -1);
    std::span<const double> scores;
    for (int64_t t = 0; t <= size; ++t) {
      order[t] = t;
      scores = policy->scores(
          {.time = t, .newest = t, .live = t + 1, .remaining = size - t, .order = order, .weights = weights});
    }
    EXPECT_EQ(std::ranges::count(scores, std::numeric_limits<double>::infinity()), window) << "k = " << size;
  }
}

TEST(CacheOptionsRefuse, CompressedGapsWhereKeysAreRewritten) {
  CacheOptions options;
  options.policy.select("merging");
  options.compress_gaps = true;
  EXPECT_EQ(refusal(options, 2),
            "compress_gaps does not go with the cache policy merging, which rewrites rotated keys");
}

}  // namespace
}  // namespace attnlab
