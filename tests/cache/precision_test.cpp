// Keys and values kept in bf16: every state does with them what one in fp32 does with the same numbers
// rounded.
#include <gtest/gtest.h>

#include "cache/cache_options.h"
#include "cache/entries.h"
#include "cache/texts.h"

namespace attnlab {
namespace {

constexpr StateShape six_heads{.layers = 1, .heads = 6, .kv_heads = 2, .head_dim = 24};

struct InBf16 {
  std::string policy;
  bool once = false, gaps = true;
};
void PrintTo(const InBf16& c, std::ostream* out) { *out << c.policy; }

class CacheInBf16 : public testing::TestWithParam<InBf16> {
 protected:
  CacheOptions options(CachePrecision precision) const {
    CacheOptions options;
    options.policy.select(GetParam().policy);
    options.size = 70;
    options.precision = precision;
    if (GetParam().once) options.prompt = Prompt::one_shot;
    return options;
  }

  /// Where nothing is turned (all positions 0), keys are rounded as they come.
  static Texts texts(torch::Dtype type, bool rounded) {
    Texts texts = make_texts(six_heads, {100, 150, 80}, true, type);
    texts.tokens.positions_BT.zero_();
    for (Tensor* x : {&texts.tokens.k_BTKd, &texts.tokens.v_BTKd})
      if (rounded) *x = x->to(torch::kBFloat16).to(type);
    return texts;
  }

  static std::unique_ptr<LayerState> state(const CacheOptions& options, torch::Dtype type) {
    return std::move(make_states(options, six_heads, {.batch = 3, .dtype = type}).front());
  }

  void check(CacheOptions wide, torch::Dtype type, const std::vector<int64_t>& calls) const {
    CacheOptions narrow = wide;
    narrow.precision = CachePrecision::bf16;
    const auto expected = state(wide, type), actual = state(narrow, type);
    const Rope rope(six_heads.head_dim, 10000.0);
    const Tensor want_y = feed(*expected, texts(type, true), calls, rope),
                 y = feed(*actual, texts(type, false), calls, rope);
    EXPECT_LT((y - want_y).abs().max().item<double>(), type == torch::kDouble ? 1e-12 : 2e-6);
    const Tensor want_expiry = expected->expiry(), expiry = actual->expiry();
    ASSERT_EQ(expiry.defined(), want_expiry.defined());
    EXPECT_TRUE(!expiry.defined() || torch::equal(expiry, want_expiry));
  }
};

TEST_P(CacheInBf16, IsTheSameAsRoundingFirst) {
  // Merging rounds what it has merged once more.
  if (GetParam().policy == "merging") GTEST_SKIP() << "has a test of its own";
  for (const auto type : {torch::kFloat, torch::kDouble}) {
    check(options(CachePrecision::model), type, {150});
    if (GetParam().once) continue;
    check(options(CachePrecision::model), type, {1});
    check(options(CachePrecision::model), type, {30, 1, 1, 20, 1});
  }
}

TEST_P(CacheInBf16, WithCompressedGaps) {
  if (!GetParam().gaps) return;  // refused: options_test.cpp
  for (const auto type : {torch::kFloat, torch::kDouble}) {
    CacheOptions compressed = options(CachePrecision::model);
    compressed.compress_gaps = true;
    check(compressed, type, {150});
    if (!GetParam().once) check(compressed, type, {40, 1});
  }
}

TEST_P(CacheInBf16, TakesHalfTheMemory) {
  const auto bytes = [&](CachePrecision precision) {
    const auto made = state(options(precision), torch::kFloat);
    feed(*made, texts(torch::kFloat, false), {150}, Rope(six_heads.head_dim, 10000.0));
    return made->bytes();
  };
  const int64_t wide = bytes(CachePrecision::fp32), narrow = bytes(CachePrecision::bf16);
  EXPECT_LT(narrow, wide);
  const int64_t numbers = 2 * 3 * six_heads.kv_heads * six_heads.head_dim;  // of the 71 states at least
  EXPECT_EQ((wide - narrow) % (2 * numbers), 0);
  EXPECT_GE((wide - narrow) / (2 * numbers), 71);
}

std::vector<InBf16> every_policy() {
  std::vector<InBf16> all;
  for (const auto& registered : registry<PolicyOptions>()) {
    Choice<PolicyOptions> policy(registered.name);
    const PolicyNeeds needs = policy->needs();
    all.push_back(
        {registered.name, needs.prefill_only, needs.dropped == Dropped::forgotten && !policy->unbounded()});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Every, CacheInBf16, testing::ValuesIn(every_policy()),
                         [](const auto& info) { return info.param.policy; });

TEST(MergingInBf16, StaysNearTheSameInFp32) {
  CacheOptions options;
  options.policy.select("merging");
  options.size = 70;
  const Texts texts = make_texts(six_heads, {150}, false, torch::kFloat);
  const auto y = [&](CachePrecision precision) {
    options.precision = precision;
    const auto state = std::move(make_states(options, six_heads, {}).front());
    return feed(*state, texts, {40, 1}, Rope(six_heads.head_dim, 10000.0));
  };
  const Tensor off = (y(CachePrecision::bf16) - y(CachePrecision::fp32)).abs();
  EXPECT_GT(off.max().item<double>(), 0);
  EXPECT_LT(off.mean().item<double>(), 0.01);
}

/// Activations in bf16 too, as on a GPU: logits are made in fp32, so that decisions are those of fp32 on the
/// same numbers. In bf16 they would tie.
TEST_P(CacheInBf16, DecidesByLogitsInFp32WhereTheModelIsInBf16) {
  const Rope rope(six_heads.head_dim, 10000.0);
  Texts narrow = texts(torch::kFloat, true), wide = narrow;
  for (Tensor* x : {&narrow.tokens.q_BTHd, &narrow.tokens.k_BTKd, &narrow.tokens.v_BTKd})
    *x = x->to(torch::kBFloat16);
  wide.tokens.q_BTHd = narrow.tokens.q_BTHd.to(torch::kFloat);
  if (GetParam().policy == "merging" || GetParam().policy == "summary" || GetParam().policy == "full")
    GTEST_SKIP() << "rewrites states, in the type that they are kept in; or is Torch's own attention";
  const auto in_bf16 = state(options(CachePrecision::model), torch::kBFloat16),
             in_fp32 = state(options(CachePrecision::model), torch::kFloat);
  const Tensor y = feed(*in_bf16, narrow, {150}, rope).to(torch::kFloat),
               want_y = feed(*in_fp32, wide, {150}, rope);
  EXPECT_TRUE(torch::allclose(y, want_y, 1.0 / 128, 1.0 / 128));
  ASSERT_EQ(in_bf16->expiry().defined(), in_fp32->expiry().defined());
  if (in_fp32->expiry().defined()) {
    EXPECT_TRUE(in_bf16->expiry().equal(in_fp32->expiry()));
  }
}

}  // namespace
}  // namespace attnlab
