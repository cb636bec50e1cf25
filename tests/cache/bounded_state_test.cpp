// Bounded states: agreement with the reference, memory, beams, seeds.
#include "cache/bounded_state.h"

#include <gtest/gtest.h>

#include <set>

#include "cache/gaps.h"
#include "cache/policies/random.h"
#include "cache/policies/snapkv.h"
#include "cache/states.h"
#include "core/error.h"

namespace attnlab {
namespace {

const reference::Rule newest_weights = [](const reference::Decision& d) {  // TOVA's
  reference::Vec scores;
  for (const int64_t j : d.live) scores.push_back(d.weights[d.t][j]);
  return scores;
};

CacheOptions bounded(const char* policy, int64_t size) {
  CacheOptions options;
  options.policy.select(policy);
  options.size = size;
  return options;
}

/// A prompt in these calls, then the rest of the text token by token.
Tensor feed_prompt(LayerState& state, const NewTokens& tokens, const std::vector<int64_t>& calls) {
  std::vector<Tensor> ys;
  int64_t first = 0;
  const auto feed_part = [&](int64_t count, bool goes_on) {
    NewTokens now = part(tokens, first, count);
    now.prompt_goes_on = goes_on;
    ys.push_back(state.attend(now, Rope(tokens.q_BTHd.size(-1), 10000.0)));
    first += count;
  };
  for (std::size_t i = 0; i < calls.size(); ++i) feed_part(calls[i], i + 1 < calls.size());
  while (first < tokens.q_BTHd.size(1)) feed_part(1, false);
  return torch::cat(ys, 1);
}

TEST(BoundedState, APromptInSeveralCallsIsAsInOne) {
  for (const auto type : {torch::kDouble, torch::kFloat})
    for (const char* policy : {"tova", "window", "h2o", "knorm", "caote", "keydiff", "snapkv_decoding", "rkv",
                               "random", "merging"})
      for (const Prompt prompt : {Prompt::per_step, Prompt::pieces, Prompt::one_shot})
        for (const bool left : {false, true}) {
          const Texts texts = make_texts(small_shape, {40, 33}, left, type);
          CacheOptions options = bounded(policy, 8);
          options.prompt = prompt;
          options.piece = 6;
          const Tensor seen = texts.tokens.padding_BT.logical_not().unsqueeze(-1).unsqueeze(-1);
          const auto at_once = one_state(options, small_shape, {.batch = 2, .dtype = type});
          const Tensor expected = feed_prompt(*at_once, texts.tokens, {30}) * seen;
          for (const std::vector<int64_t>& calls :
               {std::vector<int64_t>{18, 12}, {13, 1, 1, 15}, {2, 9, 19}, {29, 1}}) {
            const auto state = one_state(options, small_shape, {.batch = 2, .dtype = type});
            const Tensor found = feed_prompt(*state, texts.tokens, calls) * seen;
            EXPECT_LT((found - expected).abs().max().item<double>(), type == torch::kDouble ? 1e-12 : 2e-6)
                << policy << ", prompt " << static_cast<int>(prompt) << ", first call " << calls[0];
            EXPECT_TRUE(torch::equal(state->expiry(), at_once->expiry())) << policy;
            EXPECT_EQ(state->bytes(), at_once->bytes()) << policy;
          }
        }
}

TEST(BoundedState, WithRoomForTheWholeTextIsTheFullCache) {
  for (const int64_t first : {1, 24, 40}) {
    const Texts texts = make_texts(small_shape, {40, 13}, true, torch::kFloat);
    const auto full = one_state(CacheOptions(), small_shape, {.batch = 2});
    const auto tova = one_state(bounded("tova", 40), small_shape, {.batch = 2});
    const auto calls = one_by_one(first, 40);
    const Tensor seen = texts.tokens.padding_BT.logical_not().unsqueeze(-1).unsqueeze(-1);
    const Tensor difference = (feed(*full, texts.tokens, calls) - feed(*tova, texts.tokens, calls)) * seen;
    EXPECT_LT(difference.abs().max().item<double>(), 2e-6);
  }
}

TEST(BoundedState, AgreesWithTheReferenceAtTheSizesOfRealHeads) {
  for (const int64_t d : {64, 72, 128})
    for (const auto& calls : {std::vector<int64_t>{260}, one_by_one(200, 260)}) {
      SCOPED_TRACE(testing::Message() << "head size " << d << ", calls " << calls.size());
      const StateShape real{.layers = 1, .heads = 4, .kv_heads = 2, .head_dim = d};
      const Texts texts = make_texts(real, {260}, false, torch::kFloat);
      const auto state = one_state(bounded("tova", 96), real, {});
      const Tensor y = feed(*state, texts.tokens, calls);
      reference::Setting setting;
      setting.size = 96;
      expect_agreement(texts, y, state->expiry(), setting, newest_weights, fp32);
    }
}

/// bf16 has 8 bits: outputs of size 1 to 2 differ in the third digit, and so may weights that decide.
TEST(BoundedState, InBrainFloatAgreesWithTheReferenceToItsPrecision) {
  for (const int64_t at_once : {1, 30}) {
    SCOPED_TRACE(at_once);
    const Texts texts = make_texts(small_shape, {30}, false, torch::kBFloat16);
    const auto state = one_state(bounded("tova", 12), small_shape, {.dtype = torch::kBFloat16});
    const Tensor y = feed(*state, texts.tokens, one_by_one(at_once, 30));
    EXPECT_EQ(y.scalar_type(), torch::kBFloat16);
    reference::Setting setting;
    setting.size = 12;
    expect_agreement(texts, y, state->expiry(), setting, newest_weights, {.output = 0.05, .gap = 0.05});
  }
}

TEST(BoundedState, HoldsKPlusOneStatesAsAllocated) {
  const StateShape wide{.layers = 2, .heads = 8, .kv_heads = 4, .head_dim = 16};
  DecoderState states = make_states(bounded("tova", 31), wide, {.batch = 3});
  for (const auto& state : states) EXPECT_EQ(state->bytes(), 2 * 3 * 4 * 32 * 16 * 4);
  const Texts texts = make_texts(wide, {200, 100, 50}, true, torch::kFloat);
  feed(*states[0], texts.tokens, {197, 1, 1, 1});
  EXPECT_EQ(states[0]->bytes(), 2 * 3 * 4 * 32 * 16 * 4);
}

TEST(BoundedState, HoldsAsMuchBehindATextAtOnceAsTokenByToken) {
  for (const char* policy : {"tova", "h2o", "knorm", "caote", "keydiff", "snapkv_decoding", "rkv"}) {
    const Texts texts = make_texts(small_shape, {180}, false, torch::kFloat);
    const auto at_once = one_state(bounded(policy, 24), small_shape, {});
    const auto by_token = one_state(bounded(policy, 24), small_shape, {});
    feed(*at_once, texts.tokens, {180});
    feed(*by_token, texts.tokens, one_by_one(1, 180));
    EXPECT_EQ(at_once->bytes(), by_token->bytes()) << policy;
  }
}

TEST(BoundedState, TakesNoRoomForStatesThatNoTextBrings) {
  for (const char* policy : {"tova", "rkv"})
    for (const int64_t at_once : {1, 180}) {
      const Texts texts = make_texts(small_shape, {180}, false, torch::kFloat);
      const auto state = one_state(bounded(policy, 1 << 20), small_shape, {});
      feed(*state, texts.tokens, one_by_one(at_once, 180));
      EXPECT_LT(state->bytes(), 1 << 20) << policy << ", first call " << at_once;
    }
}

TEST(BoundedState, GivesBackWhatAPromptReadAtOnceNeeded) {
  // SnapKV keeps what comes behind the prompt, in room that is doubled.
  for (const auto& [policy, slots] : {std::pair("tova", 16), {"snapkv", 32}})
    for (const auto type : {torch::kDouble, torch::kFloat}) {
      SCOPED_TRACE(policy);
      CacheOptions options = bounded(policy, 15);
      options.prompt = Prompt::one_shot;
      if (auto* snapkv = dynamic_cast<SnapKvOptions*>(&*options.policy)) snapkv->window = 8;
      const auto state = one_state(options, small_shape, {.batch = 1, .dtype = type});
      const int64_t element = type == torch::kDouble ? 8 : 4;
      const Texts texts = make_texts(small_shape, {80}, false, type);
      feed(*state, texts.tokens, {77, 1, 1, 1});
      EXPECT_EQ(state->bytes(), 2 * 2 * slots * 8 * element);
    }
}

TEST(BoundedState, AKeyThatIsNoNumberIsSeenInWhatIsSaid) {
  for (const auto type : {torch::kDouble, torch::kFloat}) {
    const auto state = one_state(bounded("tova", 15), small_shape, {.batch = 1, .dtype = type});
    Texts texts = make_texts(small_shape, {4}, false, type);
    texts.tokens.k_BTKd[0][2].fill_(NAN);
    const Tensor y = feed(*state, texts.tokens, {1, 1, 1, 1});
    EXPECT_TRUE(y.narrow(1, 0, 2).isfinite().all().item<bool>());
    EXPECT_TRUE(y.narrow(1, 2, 2).isnan().any().item<bool>());
  }
}

/// Sets Torch's threads while it lives.
class Threads {
 public:
  explicit Threads(int n) : before_(at::get_num_threads()) { at::set_num_threads(n); }
  ~Threads() { at::set_num_threads(before_); }

 private:
  int before_;
};

TEST(BoundedState, ReadsATextTheSameWayOnSeveralThreads) {
  const StateShape many{.layers = 1, .heads = 8, .kv_heads = 4, .head_dim = 16};
  for (const char* policy :
       {"tova", "h2o", "window", "caote", "keydiff", "knorm", "snapkv_decoding", "rkv"}) {
    SCOPED_TRACE(policy);
    const Texts texts = make_texts(many, {300}, false, torch::kFloat);
    const CacheOptions options = bounded(policy, 40);
    const auto read = [&](int threads) {
      const Threads set(threads);
      const auto state = one_state(options, many, {});
      const Tensor y = feed(*state, texts.tokens, {200, 100});
      return std::pair(y, state->expiry());
    };
    const auto [y1, expiry1] = read(1);
    const auto [y2, expiry2] = read(2);
    const auto [y3, expiry3] = read(3);
    EXPECT_TRUE(torch::equal(expiry1, expiry2));
    EXPECT_LT((y1 - y2).abs().max().item<double>(), 2e-6);
    if (options.policy->heads == Heads::layer_wise) {
      EXPECT_TRUE(torch::equal(y2, y3));
    }  // head by head there are as many lanes as threads, and no pipeline
    EXPECT_LT((y1 - y3).abs().max().item<double>(), 2e-6);
  }
}

TEST(BoundedState, SharedByThreadsHonoursTheModelsWindow) {
  StateShape windowed = small_shape;
  windowed.sliding_window = 30;
  const Texts texts = make_texts(windowed, {200}, false, torch::kFloat);
  const auto read = [&](int threads) {
    const Threads set(threads);
    const auto state = one_state(bounded("tova", 25), windowed, {});
    feed(*state, texts.tokens, {200});
    return state->expiry();
  };
  EXPECT_TRUE(torch::equal(read(1), read(2)));
}

template <class Check>
void for_each_kind(Check check) {
  for (const auto& policy : registry<PolicyOptions>()) {
    SCOPED_TRACE(policy.name);
    const CacheOptions options = bounded(policy.name.c_str(), 10);
    if (!options.policy->needs().prefill_only) check(options);
  }
}

TEST(DecoderStates, FollowBeams) {
  for_each_kind([](const CacheOptions& options) {
    const Texts texts = make_texts(small_shape, {30, 30, 30}, false, torch::kFloat);
    const auto reordered = one_state(options, small_shape, {.batch = 3});
    feed(*reordered, texts.tokens, {20});
    const Tensor rows = torch::tensor({2, 0, 0, 1});
    const auto copy = reordered->copy(rows);
    reordered->reorder(rows);
    // The same beams, read from the start.
    const auto pick = [&](const NewTokens& t) {
      const auto take = [&](const Tensor& x) { return x.index_select(0, rows); };
      return NewTokens{take(t.q_BTHd), take(t.k_BTKd),     take(t.v_BTKd),      take(t.positions_BT),
                       take(t.ids_BT), take(t.padding_BT), take(t.surprisal_BT)};
    };
    const NewTokens beams = pick(texts.tokens);
    const auto afresh = one_state(options, small_shape, {.batch = 4});
    const Tensor expected = feed(*afresh, beams, {20, 1, 9}).narrow(1, 20, 10);
    const Tensor y = torch::cat({reordered->attend(part(beams, 20, 1), Rope(8, 10000.0)),
                                 reordered->attend(part(beams, 21, 9), Rope(8, 10000.0))},
                                1);
    EXPECT_TRUE(torch::equal(y, expected));
    // What the original reads leaves its copy alone.
    EXPECT_TRUE(torch::equal(feed(*copy, part(beams, 20, 10), {1, 9}), expected));
    if (expected.defined() && afresh->expiry().defined()) {
      EXPECT_TRUE(torch::equal(reordered->expiry(), afresh->expiry()));
    }
  });
}

TEST(BoundedState, ThatNeedsSurprisalSaysSo) {
  const Texts texts = make_texts(small_shape, {30}, false, torch::kFloat);
  NewTokens tokens = texts.tokens;
  tokens.surprisal_BT = Tensor();
  const auto state = one_state(bounded("surprisal", 8), small_shape, {});
  try {
    feed(*state, tokens, {30});
    FAIL() << "surprisal out of nothing";
  } catch (const UserError& error) {
    EXPECT_STREQ(
        error.what(),
        "the cache policy surprisal needs each token's −log p, which is known only where tokens are read "
        "one by one: it cannot evaluate a text layer by layer");
  }
}

TEST(BoundedState, ReportsTooManyProtectedTokensFromInsideABlock) {
  CacheOptions options = bounded("tova", 8);
  Texts texts = make_texts(small_shape, {60}, false, torch::kFloat);
  texts.tokens.ids_BT.fill_(3);
  for (const auto& calls : {std::vector<int64_t>{60}, one_by_one(1, 60)}) {
    const auto state = one_state(options, small_shape, {.protected_ids = {3}});
    EXPECT_THROW(feed(*state, texts.tokens, calls), UserError);
  }
}

TEST(RandomPolicy, DropsTheSameStatesHoweverTheTextIsFedAndOthersWithAnotherSeed) {
  const Texts texts = make_texts(small_shape, {120}, false, torch::kFloat);
  const auto expiry = [&](uint64_t seed, std::vector<int64_t> calls) {
    const auto state = one_state(bounded("random", 16), small_shape, {.seed = seed});
    feed(*state, texts.tokens, std::move(calls));
    return state->expiry();
  };
  const Tensor first = expiry(1, {120});
  EXPECT_TRUE(torch::equal(first, expiry(1, one_by_one(1, 120))));
  EXPECT_TRUE(torch::equal(first, expiry(1, {60, 1, 59})));
  EXPECT_FALSE(torch::equal(first, expiry(2, {120})));
}

TEST(RandomPolicy, LetsEveryStateGoWithTheSameChance) {
  // With k = 3 each of the four states goes with probability 1/4 at the first dropping.
  std::vector<int> gone(4, 0);
  constexpr int trials = 4000;
  for (int trial = 0; trial < trials; ++trial) {
    const auto policy = RandomOptions().build({.size = 3, .seed = static_cast<uint64_t>(trial)});
    const std::vector<int64_t> order{0, 1, 2, 3};
    const std::span<const double> scores =
        policy->scores({.time = 3, .newest = 3, .live = 4, .order = order});
    ++gone[std::min_element(scores.begin(), scores.end()) - scores.begin()];
  }
  for (const int count : gone) EXPECT_NEAR(count, trials / 4, 5 * std::sqrt(trials * 0.25 * 0.75));
}

TEST(CompressedGaps, AreShortAndKeepTheirOrder) {
  for (int64_t gap = 1; gap <= 10; ++gap) EXPECT_EQ(compressed_gap(gap), gap);
  EXPECT_EQ(compressed_gap(11), 11);     // 10 + ln ln(1 + e) = 10.27
  EXPECT_EQ(compressed_gap(70000), 13);  // 10 + ln ln 69992.7 = 12.41
  for (int64_t gap = 11; gap < 5000; ++gap)
    EXPECT_EQ(compressed_gap(gap), std::ceil(10 + std::log(std::log(gap - 10 + std::exp(1.0))))) << gap;
  EXPECT_EQ(compressed_gap(std::numeric_limits<int64_t>::max()), widest_gap);
  const std::vector<int64_t> order{70000, -1, 3, 0, 70001};
  EXPECT_EQ(GapPositions().of(order), (std::vector<int64_t>{16, 0, 3, 0, 17}));
}

}  // namespace
}  // namespace attnlab
