// One matrix of demands that every policy enters through entries.cpp: however a text is fed, the same states
// are dropped and the same outputs come out as in the per-step reference.
#include <gtest/gtest.h>

#include "cache/bounded_state.h"
#include "cache/entries.h"
#include "cache/texts.h"

namespace attnlab {
namespace {

constexpr int64_t size = 12;

struct Layout {
  const char* name;
  StateShape shape;
};
void PrintTo(const Layout& layout, std::ostream* out) { *out << layout.name; }

const Layout layouts[] = {
    {"EqualHeads", {.layers = 1, .heads = 4, .kv_heads = 4, .head_dim = 16}},
    {"GroupedQueries", {.layers = 1, .heads = 6, .kv_heads = 2, .head_dim = 10}},
    {"OneKeyHead", {.layers = 1, .heads = 3, .kv_heads = 1, .head_dim = 12}},
};

class CacheMatrix : public testing::TestWithParam<std::tuple<PolicyEntry, Layout>> {
 protected:
  // Threads have tests of their own (bounded_state_test.cpp); here they would only wait for each other.
  void SetUp() override { at::set_num_threads(1); }
  void TearDown() override { at::set_num_threads(threads_); }

  const PolicyEntry& entry() const { return std::get<0>(GetParam()); }
  const StateShape& shape() const { return std::get<1>(GetParam()).shape; }

  BoundedOptions options() const {
    BoundedOptions o;
    o.policy = entry().options();
    o.lane.size = size;
    o.prompt = entry().once ? DropAt::end_of_call : DropAt::every_token;
    return o;
  }
  reference::Setting setting() const {
    reference::Setting s;
    s.size = size;
    s.apart = entry().options()->heads == Heads::head_wise;
    s.piece = entry().once ? 0 : 1;
    s.dropped = entry().dropped;
    return s;
  }

  /// Feeds the texts in calls of the given lengths (the last is repeated) and compares.
  void check(const Texts& texts, std::vector<int64_t> calls, BoundedOptions options,
             reference::Setting setting, const StateShape& shape) const {
    const auto type = texts.tokens.q_BTHd.scalar_type();
    BoundedState state(options, shape, {.batch = texts.tokens.q_BTHd.size(0), .dtype = type});
    const Tensor y_BTHd = feed(state, texts, calls, Rope(shape.head_dim, setting.theta));
    EXPECT_TRUE(y_BTHd.isfinite().all().item<bool>());
    expect_agreement(texts, y_BTHd, state.expiry(), setting, entry().rule,
                     type == torch::kDouble ? exact : fp32);
  }
  int threads_ = at::get_num_threads();

  void check(const Texts& texts, std::vector<int64_t> calls) const {
    check(texts, std::move(calls), options(), setting(), shape());
  }
  /// Texts whose first token, which stays, has all of the weight: the others' logits are 90 to 600 less.
  void check_peaked(Texts texts, std::vector<int64_t> calls, bool compress_gaps) const {
    BoundedOptions o = options();
    reference::Setting s = setting();
    o.lane.protect_first = s.protect_first = 1;
    o.compress_gaps = s.compress_gaps = compress_gaps;
    s.theta = 1e30;  // the slowest pair of components is never turned
    const int64_t slow = shape().head_dim / 2 - 1;
    const Tensor key_BTK = texts.tokens.k_BTKd.select(3, slow);
    key_BTK.copy_(key_BTK.mul(17).frac().abs().mul(-510).sub(90));
    key_BTK.select(1, 0).zero_();
    texts.tokens.q_BTHd.select(3, slow).fill_(std::sqrt(static_cast<double>(shape().head_dim)));
    check(texts, std::move(calls), o, s, shape());
  }
  /// Texts whose first token has nearly all of the weight: the others' logits are 9 to 15 less. Nothing keeps
  /// it but its score.
  void check_heavy(Texts texts, std::vector<int64_t> calls) const {
    reference::Setting s = setting();
    s.theta = 1e30;
    const int64_t slow = shape().head_dim / 2 - 1;
    const Tensor key_BTK = texts.tokens.k_BTKd.select(3, slow);
    key_BTK.copy_(key_BTK.mul(17).frac().abs().mul(-6).sub(9));
    key_BTK.select(1, 0).zero_();
    texts.tokens.q_BTHd.select(3, slow).fill_(std::sqrt(static_cast<double>(shape().head_dim)));
    check(texts, std::move(calls), options(), s, shape());
  }
  Texts texts(std::vector<int64_t> lengths, bool left, torch::Dtype type) const {
    return make_texts(shape(), std::move(lengths), left, type);
  }
};

/// Every policy but those that drop once: fed in whatever calls.
class StepwiseMatrix : public CacheMatrix {};

TEST_P(CacheMatrix, ATextAtOnceInDouble) { check(texts({90}, false, torch::kDouble), {90}); }
TEST_P(CacheMatrix, ATextAtOnceInFloat) { check(texts({150}, false, torch::kFloat), {150}); }
TEST_P(CacheMatrix, ATextShorterThanTheCache) { check(texts({7}, false, torch::kFloat), {7}); }
TEST_P(CacheMatrix, ABatchPaddedOnTheRight) {
  for (const auto type : {torch::kDouble, torch::kFloat}) check(texts({60, 5, 90, 13, 1}, false, type), {90});
}
TEST_P(CacheMatrix, ABatchPaddedOnTheLeft) {
  for (const auto type : {torch::kDouble, torch::kFloat}) check(texts({60, 5, 90, 13, 1}, true, type), {90});
}

TEST_P(StepwiseMatrix, TokenByTokenInDouble) { check(texts({70}, false, torch::kDouble), {1}); }
TEST_P(StepwiseMatrix, TokenByTokenInFloat) { check(texts({90}, false, torch::kFloat), {1}); }
TEST_P(StepwiseMatrix, InSeveralCalls) {
  for (const auto type : {torch::kDouble, torch::kFloat})
    check(texts({110}, false, type), {3, 40, 1, 1, 2, 33, 1});
}
TEST_P(StepwiseMatrix, APaddedBatchInSeveralCalls) {
  for (const auto type : {torch::kDouble, torch::kFloat})
    for (const bool left : {false, true}) check(texts({50, 9, 70}, left, type), {30, 1, 1, 25, 1});
}
TEST_P(StepwiseMatrix, ProtectsTheFirstStatesAndChosenTokens) {
  for (const auto type : {torch::kDouble, torch::kFloat}) {
    BoundedOptions o = options();
    reference::Setting s = setting();
    o.lane.protect_first = s.protect_first = 2;
    o.lane.protected_ids = s.protected_ids = {7};  // about one token in twenty
    check(texts({60, 30}, false, type), {60}, o, s, shape());
    check(texts({60, 30}, false, type), {1}, o, s, shape());
  }
}
TEST_P(StepwiseMatrix, SeesNoFurtherThanTheModelsWindow) {
  for (const auto type : {torch::kDouble, torch::kFloat}) {
    BoundedOptions o = options();
    reference::Setting s = setting();
    o.lane.sliding_window = s.sliding_window = 17;
    check(texts({80, 33}, true, type), {80}, o, s, shape());
    check(texts({80, 33}, true, type), {1}, o, s, shape());
  }
}
TEST_P(StepwiseMatrix, DropsOnceAPiece) {
  for (const auto type : {torch::kDouble, torch::kFloat}) {
    BoundedOptions o = options();
    reference::Setting s = setting();
    o.piece = s.piece = 16;
    check(texts({75, 40}, true, type), {75}, o, s, shape());
  }
}
TEST_P(StepwiseMatrix, DropsOnceAfterThePrompt) {
  for (const auto type : {torch::kDouble, torch::kFloat}) {
    BoundedOptions o = options();
    reference::Setting s = setting();
    o.prompt = DropAt::end_of_call;
    s.piece = 0;
    check(texts({75, 40, 6}, true, type), {75}, o, s, shape());
  }
}
TEST_P(CacheMatrix, APeakedHeadReadAtOnce) {
  for (const auto type : {torch::kDouble, torch::kFloat}) check_peaked(texts({90}, false, type), {90}, false);
}
TEST_P(StepwiseMatrix, APeakedHeadReadTokenByToken) {
  for (const auto type : {torch::kDouble, torch::kFloat}) check_peaked(texts({70}, false, type), {1}, false);
}
TEST_P(CacheMatrix, AHeavyFirstTokenReadAtOnce) {
  for (const auto type : {torch::kDouble, torch::kFloat}) check_heavy(texts({90}, false, type), {90});
}
TEST_P(StepwiseMatrix, AHeavyFirstTokenReadTokenByToken) {
  for (const auto type : {torch::kDouble, torch::kFloat}) check_heavy(texts({70}, false, type), {1});
}
TEST_P(StepwiseMatrix, APeakedHeadWithCompressedGaps) {
  if (entry().dropped != reference::Setting::forgotten) return;  // refused: options_test.cpp
  check_peaked(texts({70}, false, torch::kFloat), {70}, true);
}
TEST_P(StepwiseMatrix, CompressesGaps) {
  if (entry().dropped != reference::Setting::forgotten) return;  // refused: options_test.cpp
  BoundedOptions o = options();
  reference::Setting s = setting();
  o.compress_gaps = s.compress_gaps = true;
  check(texts({120}, false, torch::kDouble), {120}, o, s, shape());
  check(texts({60, 40}, true, torch::kFloat), {40, 1}, o, s, shape());
  check(texts({120}, false, torch::kFloat), {120}, o, s, shape());
}

std::vector<PolicyEntry> stepwise() {
  std::vector<PolicyEntry> all = entries();
  std::erase_if(all, [](const PolicyEntry& e) { return e.once; });
  return all;
}

const auto name_of_pair = [](const auto& info) {
  return std::get<0>(info.param).name + "_" + std::get<1>(info.param).name;
};
INSTANTIATE_TEST_SUITE_P(Every, CacheMatrix,
                         testing::Combine(testing::ValuesIn(entries()), testing::ValuesIn(layouts)),
                         name_of_pair);
INSTANTIATE_TEST_SUITE_P(Every, StepwiseMatrix,
                         testing::Combine(testing::ValuesIn(stepwise()), testing::ValuesIn(layouts)),
                         name_of_pair);

/// The longest that its own begins with: of snapkv_decoding_together not snapkv.
std::string registered_name(const PolicyEntry& entry) {
  std::string longest;
  for (const auto& registered : registry<PolicyOptions>())
    if (entry.name.starts_with(registered.name) && registered.name.size() > longest.size())
      longest = registered.name;
  return longest;
}

TEST(PolicyRegistry, EveryNameEntersTheMatrix) {
  for (const auto& registered : registry<PolicyOptions>()) {
    // full_state_test.cpp, bounded_state_test.cpp
    if (registered.name == "full" || registered.name == "random") continue;
    bool entered = false;
    for (const auto& entry : entries()) entered |= registered_name(entry) == registered.name;
    EXPECT_TRUE(entered) << registered.name << " has no line in tests/cache/entries.cpp";
  }
}

}  // namespace
}  // namespace attnlab
