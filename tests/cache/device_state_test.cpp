// The state that leaves every decision to the operators: on the CPU, where the native operators serve it,
// against the per-step reference; on a GPU against the CPU.
#include "cache/device_state.h"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "cache/bounded_state.h"
#include "cache/device_check.h"
#include "cache/entries.h"
#include "cache/texts.h"
#include "core/error.h"
#include "cuda_libraries.h"
#include "kernels/bounded_operators.h"

namespace attnlab {
namespace {

std::vector<PolicyEntry> plain_entries() {
  std::vector<PolicyEntry> all = entries();
  std::erase_if(all, [](const PolicyEntry& e) { return e.options()->needs().plain == PlainRule::none; });
  return all;
}

class DeviceStateMatrix : public testing::TestWithParam<std::tuple<PolicyEntry, int64_t>> {
 protected:
  static constexpr int64_t states = 12;  // k

  const PolicyEntry& entry() const { return std::get<0>(GetParam()); }
  StateShape shape() const { return {.heads = 6, .kv_heads = std::get<1>(GetParam()), .head_dim = 16}; }
  Rope rope() const { return Rope(shape().head_dim, reference::Setting().theta); }
  BoundedOptions options(int64_t protect_first) const {
    BoundedOptions o;
    o.policy = entry().options();
    o.lane.size = states;
    o.lane.protect_first = protect_first;
    return o;
  }
  Texts texts(std::vector<int64_t> lengths, bool left) const {
    return make_texts(shape(), std::move(lengths), left, torch::kFloat);
  }
  void check(const Texts& texts, const std::vector<int64_t>& calls, int64_t protect_first = 0) const {
    const int64_t batch = texts.tokens.q_BTHd.size(0);
    DeviceState state(options(protect_first), shape(), {.batch = batch});
    const Tensor y_BTHd = feed(state, texts, calls, rope());
    reference::Setting setting;
    setting.size = states;
    setting.protect_first = protect_first;
    setting.apart = entry().options()->heads == Heads::head_wise;
    expect_agreement(texts, y_BTHd, state.expiry(), setting, entry().rule, fp32);
    const Tensor padding_BgT = texts.tokens.padding_BT.unsqueeze(1).expand_as(state.expiry());
    EXPECT_TRUE((state.expiry() == Lane::padding).equal(padding_BgT));
  }
};

TEST_P(DeviceStateMatrix, ATextAtOnce) { check(texts({150}, false), {150}); }
TEST_P(DeviceStateMatrix, ATextShorterThanTheCache) { check(texts({7}, false), {7}); }
TEST_P(DeviceStateMatrix, TokenByToken) { check(texts({90}, false), {1}); }
TEST_P(DeviceStateMatrix, ATextAndThenTokens) { check(texts({110}, false), {40, 1, 3, 20, 1}); }
TEST_P(DeviceStateMatrix, AShortTextAndThenTokens) { check(texts({60}, false), {5, 1}); }
TEST_P(DeviceStateMatrix, PaddedBatches) {
  for (const bool left : {false, true})
    for (const std::vector<int64_t>& calls : {std::vector<int64_t>{90}, {30, 1, 1, 25, 1}, {1}})
      check(texts({60, 5, 90, 13, 1}, left), calls);
}
TEST_P(DeviceStateMatrix, ProtectsTheFirstStates) {
  for (const std::vector<int64_t>& calls : {std::vector<int64_t>{80}, {40, 1}, {1}})
    check(texts({80, 33}, true), calls, 3);
}

TEST_P(DeviceStateMatrix, ReorderedSequencesGoOnAsCopies) {
  const Texts text = texts({80, 80}, false);
  DeviceState state(options(0), shape(), {.batch = 2});
  state.attend(part(text.tokens, 0, 40), rope());
  state.reorder(torch::tensor({1, 0, 1}));
  NewTokens rest = part(text.tokens, 40, 40);
  const auto swapped = [](const Tensor& x) { return x.index_select(0, torch::tensor({1, 0, 1})); };
  rest = {swapped(rest.q_BTHd),       swapped(rest.k_BTKd), swapped(rest.v_BTKd),
          swapped(rest.positions_BT), swapped(rest.ids_BT), swapped(rest.padding_BT),
          swapped(rest.surprisal_BT)};
  const Tensor y = state.attend(rest, rope());
  DeviceState straight(options(0), shape(), {.batch = 2});
  const Tensor want = feed(straight, text, {40, 40}, rope()).narrow(1, 40, 40);
  EXPECT_TRUE(torch::allclose(y, swapped(want), 1e-5, 1e-6));
  EXPECT_TRUE(state.expiry().equal(straight.expiry().index_select(0, torch::tensor({1, 0, 1}))));
}

TEST_P(DeviceStateMatrix, HoldsAsManyBytesAsTheOrdinaryState) {
  const DeviceState state(options(0), shape(), {.batch = 3});
  EXPECT_EQ(state.bytes(), BoundedState(options(0), shape(), {.batch = 3}).bytes());
}

TEST_P(DeviceStateMatrix, ExpiryIsRecordedOnRequest) {
  DeviceState state(options(0), shape(), {.batch = 1});
  BoundedOptions silent = options(0);
  silent.lane.record_expiry = false;
  DeviceState without(silent, shape(), {.batch = 1});
  const Texts text = texts({50}, false);
  EXPECT_TRUE(feed(state, text, {30, 1}, rope()).equal(feed(without, text, {30, 1}, rope())));
  EXPECT_FALSE(without.expiry().defined());
}

TEST_P(DeviceStateMatrix, CudaDropsWhatTheCpuDrops) {
  ATTNLAB_NEEDS_CUDA();
  const StateRun there{.batch = 3, .device = torch::kCUDA};
  ASSERT_EQ(DeviceState::why_not(options(2), shape(), there), "");
  const Texts text = texts({70, 20, 90}, true);
  DeviceState on_gpu(options(2), shape(), there);
  const Tensor y = feed(on_gpu, text, {50, 1}, rope(), torch::kCUDA);
  reference::Setting setting;
  setting.size = states;
  setting.protect_first = 2;
  setting.apart = entry().options()->heads == Heads::head_wise;
  // Sines of the GPU are not those of the host: a decision may differ where the gap is as small as that.
  expect_agreement(text, y, on_gpu.expiry(), setting, entry().rule, {1e-4, 1e-4});
}

const auto name_of_case = [](const auto& info) {
  return std::get<0>(info.param).name + "_" + std::to_string(std::get<1>(info.param)) + "KeyHeads";
};
INSTANTIATE_TEST_SUITE_P(Plain, DeviceStateMatrix,
                         testing::Combine(testing::ValuesIn(plain_entries()), testing::Values(1, 2, 6)),
                         name_of_case);

TEST(DeviceState, KnowsTovaAndWindowsAlone) {
  const StateShape shape{.heads = 4, .kv_heads = 2, .head_dim = 16};
  const auto knows = [&](auto change) {
    BoundedOptions o;
    o.policy = plain_entries().back().options();
    change(o);
    return DeviceState::unknown(o, shape, torch::kFloat).empty();
  };
  EXPECT_EQ(plain_entries().size(), 3) << "window, TOVA together and apart";
  EXPECT_TRUE(knows([](BoundedOptions&) {}));
  for (const PolicyEntry& entry : entries()) {
    const bool plain = entry.name.starts_with("tova") || entry.name.starts_with("window");
    EXPECT_EQ(knows([&](BoundedOptions& o) { o.policy = entry.options(); }), plain) << entry.name;
  }
  EXPECT_FALSE(knows([](BoundedOptions& o) { o.lane.protected_ids = {3}; }));
  EXPECT_FALSE(knows([](BoundedOptions& o) { o.lane.sliding_window = 100; }));
  EXPECT_FALSE(knows([](BoundedOptions& o) { o.prompt = DropAt::end_of_call; }));
  EXPECT_FALSE(knows([](BoundedOptions& o) { o.piece = 2; }));
  EXPECT_FALSE(knows([](BoundedOptions& o) { o.compress_gaps = true; }));
  BoundedOptions tova;
  tova.policy = plain_entries().back().options();
  EXPECT_EQ(DeviceState::unknown(tova, shape, torch::kBFloat16), "");
  EXPECT_EQ(DeviceState::unknown(tova, shape, torch::kDouble), "numbers other than fp32 and bf16");
  EXPECT_EQ(DeviceState::unknown(tova, {.heads = 4, .kv_heads = 2, .head_dim = 6}, torch::kFloat),
            "heads of 6 numbers (a multiple of 4 up to 512)");
  EXPECT_EQ(DeviceState::why_not(tova, shape, {}), "on the CPU the ordinary state is faster");
}

/// What make_states says of timed states on a GPU, which are refused before anything is made there. TOVA but
/// for a change.
std::string refused_on_a_gpu(const std::function<void(CacheOptions&, StateShape&, StateRun&)>& change) {
  CacheOptions options;
  options.policy.select("tova");
  StateShape shape{.heads = 2, .kv_heads = 2, .head_dim = 8};
  StateRun run{.device = torch::kCUDA, .timed = true};
  change(options, shape, run);
  try {
    make_states(options, shape, run);
  } catch (const RunError& error) {
    return error.what();
  }
  return "";
}

TEST(DeviceState, IsExpectedOnAGpuUnderEveryPlainPolicy) {
  for (const PolicyEntry& entry : entries()) {
    BoundedOptions o;
    o.policy = entry.options();
    const bool plain = entry.name.starts_with("tova") || entry.name.starts_with("window");
    EXPECT_EQ(DeviceState::is_expected(o, torch::kCUDA), plain) << entry.name;
    EXPECT_FALSE(DeviceState::is_expected(o, torch::kCPU)) << entry.name;
  }
}

TEST(DeviceState, WhatStandsInForItIsNotTimed) {
  using testing::HasSubstr;
  const auto other_precision = [](CacheOptions& o, StateShape&, StateRun&) {
    o.precision = CachePrecision::bf16;
  };
  EXPECT_THAT(refused_on_a_gpu(other_precision),
              HasSubstr("what is timed here would be a slow stand-in for the GPU's own steps: the cache has "
                        "another precision than the model"));
  const auto windowed = [](CacheOptions&, StateShape& shape, StateRun&) { shape.sliding_window = 64; };
  EXPECT_THAT(refused_on_a_gpu(windowed), HasSubstr("do not know a sliding window of the model's"));
  const auto odd_heads = [](CacheOptions&, StateShape& shape, StateRun&) { shape.head_dim = 6; };
  EXPECT_THAT(refused_on_a_gpu(odd_heads), HasSubstr("do not know heads of 6 numbers"));
  const auto fp16 = [](CacheOptions&, StateShape&, StateRun& run) { run.dtype = torch::kHalf; };
  EXPECT_THAT(refused_on_a_gpu(fp16), HasSubstr("do not know numbers other than fp32 and bf16"));
  const auto at_once = [](CacheOptions& o, StateShape&, StateRun&) { o.prompt = Prompt::one_shot; };
  EXPECT_THAT(refused_on_a_gpu(at_once), HasSubstr("do not know prompts read in pieces or at once"));
}

TEST(DeviceCheck, TheCpuAgreesWithItself) {
  const StateShape shape{.heads = 8, .kv_heads = 4, .head_dim = 64};
  for (const bool by_age : {false, true})
    for (const bool apart : {false, true})
      EXPECT_EQ(differs_from_cpu(torch::kCPU, shape, torch::kFloat, {by_age, apart}), "");
}

/// Expiries of a small text, and what wrong_decision says of others beside them.
class WrongDecision : public testing::Test {
 protected:
  WrongDecision() { std::tie(std::ignore, want_) = bounded_text(q_, k_, q_, {.size = 8}, false, {}); }
  std::string of(const Tensor& got_BT, DecidedBy rule = {}) {
    return wrong_decision(q_, k_, rule, got_BT.unsqueeze(1), want_.unsqueeze(1), same_);
  }
  /// Two tokens change places.
  Tensor swapped(int64_t a, int64_t b) const {
    Tensor got = want_.clone();
    got[0][a] = want_[0][b];
    got[0][b] = want_[0][a];
    return got;
  }
  int64_t dropped_at(int64_t t) const { return want_[0].eq(t).nonzero().item<int64_t>(); }

  Tensor q_ = torch::randn({1, 40, 2, 16}, at::detail::createCPUGenerator(3)), k_ = q_.flip(1).contiguous(),
         want_, same_;
};

TEST_F(WrongDecision, IsNoneWhereAllIsEqual) {
  EXPECT_EQ(of(want_), "");
  EXPECT_TRUE(same_.eq(40).all().item<bool>());
}

TEST_F(WrongDecision, IsNamedWithBothWeights) {
  const int64_t first = dropped_at(20), second = dropped_at(21);
  EXPECT_THAT(
      of(swapped(first, second)),
      testing::StartsWith(fmt::format("sequence 0, lane 0: token 20 drops state {}, on the CPU state {}; "
                                      "their weights are ",
                                      second, first)));
}

TEST_F(WrongDecision, IsNoneWhereKeysAreAlmostTheSame) {
  const int64_t first = dropped_at(20), second = dropped_at(21);
  k_[0][second] = k_[0][first] * (1 + 1e-6);
  EXPECT_EQ(of(swapped(first, second)), "");
  EXPECT_EQ(same_.item<int64_t>(), 21) << "behind it nothing can be compared";
  EXPECT_NE(of(swapped(first, second), {.by_age = true}), "") << "by age there are no close calls";
}

TEST_F(WrongDecision, IsADropTooMany) {
  Tensor got = want_.clone();
  got[0][39] = 39;
  EXPECT_THAT(of(got), testing::HasSubstr("token 39 drops state"));
}

TEST_F(WrongDecision, IsPaddingTakenForATokenOfItsOwn) {
  Tensor got = want_.clone();
  got[0][0] = -2;
  EXPECT_THAT(of(got), testing::HasSubstr("padding"));
}

TEST(DeviceCheck, CudaAgreesWithTheCpu) {
  ATTNLAB_NEEDS_CUDA();
  for (const auto& [kv, d] : {std::pair<int64_t, int64_t>{8, 64}, {2, 64}, {8, 128}, {4, 80}})
    for (const auto type : {torch::kFloat, torch::kBFloat16})
      for (const bool by_age : {false, true})
        for (const bool apart : {false, true})
          EXPECT_EQ(differs_from_cpu(torch::kCUDA, {.heads = 8, .kv_heads = kv, .head_dim = d}, type,
                                     {by_age, apart}),
                    "");
  EXPECT_EQ(
      differs_from_cpu(torch::kCUDA, {.heads = 32, .kv_heads = 32, .head_dim = 128}, torch::kBFloat16, {}),
      "")
      << "LLaMA-2-7B's heads";
}

}  // namespace
}  // namespace attnlab
