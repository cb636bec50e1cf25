// A decoder that is trained under a cache policy: its outputs are those of the policy's own states, its
// gradients those of finite differences while the same states are dropped.
#include "models/training_states.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/autocast_mode.h>

#include "cache/policies/tova.h"
#include "core/error.h"
#include "models/small_decoders.h"

namespace attnlab {
namespace {

constexpr int64_t text_count = 2, text_length = 40, vocabulary = 64, kept_states = 7;

DecoderOptions trained_options(int64_t window = 0) {
  DecoderOptions o;
  o.vocabulary = vocabulary;
  o.dim = 12;
  o.ffn_dim = 20;
  o.layers = 2;
  o.heads = 4;
  o.kv_heads = 2;
  o.head_dim = 6;
  o.max_positions = 64;
  o.sliding_window = window;
  return o;
}

Decoder trained_decoder(torch::Dtype type, int64_t window = 0) {
  return small_decoder(trained_options(window), type);
}

/// No token twice in a text: before rotation equal ones have equal keys, and of equal norms rounding would
/// decide.
Tensor random_tokens() {
  torch::manual_seed(4);
  std::vector<Tensor> all;
  for (int64_t i = 0; i < text_count; ++i)
    all.push_back(torch::randperm(vocabulary).slice(0, 0, text_length));
  return torch::stack(all);
}

CacheOptions cache_of(const std::string& policy) {
  CacheOptions cache;
  cache.policy.select(policy);
  cache.size = kept_states;
  return cache;
}

StateRun run_of(torch::Dtype type) { return {.batch = text_count, .dtype = type, .seed = 5}; }

/// Layer by layer, who was dropped when.
std::vector<Tensor> expiry_of(const DecoderState& states) {
  std::vector<Tensor> all;
  for (const auto& state : states) all.push_back(state ? state->expiry() : Tensor());
  return all;
}

/// A trained pass: hidden, and the states that made it.
struct TrainedPass {
  DecoderState states;
  Tensor hidden;
};
TrainedPass pass_of(Decoder& decoder, const CacheOptions& cache, const Tensor& ids_BT, StateRun run,
                    Reconstruction* reconstruction = nullptr) {
  TrainedPass pass{training_states(cache, state_shape(decoder->options()), run, reconstruction), {}};
  pass.hidden = decoder->forward_training(ids_BT, &pass.states);
  return pass;
}

std::vector<std::string> trainable_policies() {
  std::vector<std::string> names;
  for (const auto& e : registry<PolicyOptions>())
    if (e.name != "full" && why_not_trained(cache_of(e.name)).empty()) names.push_back(e.name);
  return names;
}

class TrainingStates : public testing::TestWithParam<std::string> {
 protected:
  // Steps composed of small operators: threads would only wait for each other.
  void SetUp() override { at::set_num_threads(1); }
  void TearDown() override { at::set_num_threads(threads_); }
  int threads_ = at::get_num_threads();
};

TEST_P(TrainingStates, GiveWhatTheSameTextGivesWhereItIsScored) {
  const Tensor ids_BT = random_tokens(), positions_BT = torch::arange(text_length).expand_as(ids_BT);
  for (const int64_t window : {0, 11}) {
    Decoder decoder = trained_decoder(torch::kDouble, window);
    const TrainedPass trained = pass_of(decoder, cache_of(GetParam()), ids_BT, run_of(torch::kDouble));
    const torch::NoGradGuard no_grad;
    DecoderState scored =
        make_states(cache_of(GetParam()), state_shape(decoder->options()), run_of(torch::kDouble));
    EXPECT_LT(largest_gap(trained.hidden, decoder->forward(ids_BT, positions_BT, {}, scored)), 1e-12);
    EXPECT_GT(largest_gap(trained.hidden, decoder->forward_training(ids_BT)), 1e-3);
    for (std::size_t l = 0; l < scored.size(); ++l)
      EXPECT_TRUE(torch::equal(trained.states[l]->expiry(), scored[l]->expiry()));
  }
}

TEST_P(TrainingStates, HaveTheGradientOfFiniteDifferencesWhileTheSameStatesAreDropped) {
  Decoder decoder = trained_decoder(torch::kDouble, /*window=*/GetParam() == "tova" ? 11 : 0);
  const Tensor ids_BT = random_tokens();
  std::vector<Tensor> dropped;
  const auto loss = [&] {
    const TrainedPass pass = pass_of(decoder, cache_of(GetParam()), ids_BT, run_of(torch::kDouble));
    const auto now = expiry_of(pass.states);
    if (dropped.empty()) dropped = now;
    for (std::size_t l = 0; l < now.size(); ++l) EXPECT_TRUE(torch::equal(now[l], dropped[l]));
    return loss_of(decoder, pass.hidden, ids_BT);
  };
  expect_gradients_of_finite_differences(decoder, loss);
}

INSTANTIATE_TEST_SUITE_P(Policies, TrainingStates, testing::ValuesIn(trainable_policies()),
                         [](const auto& info) { return info.param; });

TEST(TrainingPolicies, AreThoseThatForget) {
  EXPECT_THAT(trainable_policies(),
              testing::UnorderedElementsAre("window", "h2o", "tova", "caote", "scissorhands",
                                            "snapkv_decoding", "knorm", "keydiff", "rkv", "random"));
}

TEST(TrainingStatesOfTova, DropApartWhereHeadsDecideApart) {
  Decoder decoder = trained_decoder(torch::kDouble);
  CacheOptions cache = cache_of("tova");
  cache.policy->heads = Heads::head_wise;
  cache.protect_first = 1;
  const TrainedPass pass = pass_of(decoder, cache, random_tokens(), run_of(torch::kDouble));
  const Tensor expiry = pass.states[0]->expiry();
  EXPECT_EQ(expiry.size(1), 2);
  EXPECT_FALSE(torch::equal(expiry.select(1, 0), expiry.select(1, 1)));
}

TEST(TrainingStatesOfTova, LayersThatKeepEverythingAttendToThemselves) {
  Decoder decoder = trained_decoder(torch::kDouble);
  CacheOptions cache = cache_of("tova");
  cache.only_layers = {1};
  const Tensor ids_BT = random_tokens(), positions_BT = torch::arange(text_length).expand_as(ids_BT);
  const TrainedPass pass = pass_of(decoder, cache, ids_BT, run_of(torch::kDouble));
  EXPECT_EQ(pass.states[0], nullptr);
  const torch::NoGradGuard no_grad;
  DecoderState scored = make_states(cache, state_shape(decoder->options()), run_of(torch::kDouble));
  EXPECT_LT(largest_gap(pass.hidden, decoder->forward(ids_BT, positions_BT, {}, scored)), 1e-12);
}

TEST(TrainingStatesOfTova, InFloatGradientsAreThoseOfDouble) {
  const Tensor ids_BT = random_tokens();
  std::vector<Decoder> both{trained_decoder(torch::kDouble), trained_decoder(torch::kDouble)};
  both[1]->to(torch::kFloat);
  std::vector<std::vector<Tensor>> dropped;
  for (Decoder& decoder : both) {
    const TrainedPass pass =
        pass_of(decoder, cache_of("tova"), ids_BT, run_of(decoder->tensors().dtype().toScalarType()));
    decoder->logits(pass.hidden).sum().backward();
    dropped.push_back(expiry_of(pass.states));
  }
  for (std::size_t l = 0; l < 2; ++l) ASSERT_TRUE(torch::equal(dropped[0][l], dropped[1][l]));
  const auto wide = both[0]->named_parameters(), narrow = both[1]->named_parameters();
  for (const auto& p : wide) {
    const Tensor difference = narrow[p.key()].grad().to(torch::kDouble) - p.value().grad();
    EXPECT_LT((difference.norm() / p.value().grad().norm()).item<double>(), 1e-4) << p.key();
  }
}

TEST(TrainingStatesOfTova, UnderAutocastDecideInFloat) {
  Decoder decoder = trained_decoder(torch::kFloat);
  at::autocast::set_autocast_enabled(torch::kCPU, true);
  const TrainedPass pass = pass_of(decoder, cache_of("tova"), random_tokens(), run_of(torch::kFloat));
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(torch::kCPU, false);
  EXPECT_STREQ(pass.states[0]->kind(), "native");
  decoder->logits(pass.hidden).sum().backward();
  for (const auto& p : decoder->parameters()) EXPECT_TRUE(p.grad().isfinite().all().item<bool>());
}

/// y over all tokens, of one layer's projections.
Tensor over_all(const NewTokens& t, const Rope& rope) {
  const auto heads = [&](const Tensor& x) { return x.transpose(1, 2).repeat_interleave(4 / x.size(2), 1); };
  const Tensor logits = heads(rope.rotate(t.q_BTHd, t.positions_BT))
                            .matmul(heads(rope.rotate(t.k_BTKd, t.positions_BT)).transpose(2, 3)) /
                        std::sqrt(6.0);
  const Tensor later = torch::ones({text_length, text_length}, torch::kBool).triu(1);
  return logits.masked_fill(later, -INFINITY).softmax(-1).matmul(heads(t.v_BTKd)).transpose(1, 2);
}

TEST(Reconstruction, IsWhatDroppingTakesFromTheOutputsOfLayers) {
  torch::manual_seed(6);
  const auto random = [](int64_t heads) {
    return torch::randn({text_count, text_length, heads, 6}, torch::kDouble).requires_grad_();
  };
  NewTokens t{random(4), random(2), random(2), torch::arange(text_length).expand({text_count, text_length}),
              {},        {},        {}};
  const Rope rope(6, 1e4);
  Reconstruction reconstruction;
  const DecoderState states = training_states(cache_of("tova"), state_shape(trained_options()),
                                              run_of(torch::kDouble), &reconstruction);
  Tensor expected = torch::zeros({}, torch::kDouble);
  for (const auto& state : states) {
    const Tensor y = state->attend(t, rope), all = over_all(t, rope).detach();
    expected = expected + (y - all).square().sum() / all.square().sum() / 2;
  }
  EXPECT_EQ(reconstruction.layers, 2);
  EXPECT_NEAR(reconstruction.mean().item<double>(), expected.item<double>(), 1e-12);
  EXPECT_GT(expected.item<double>(), 0.01);
  expected.backward({}, /*retain_graph=*/true);
  const Tensor wanted = t.k_BTKd.grad().clone();
  t.k_BTKd.mutable_grad().zero_();
  reconstruction.mean().backward();
  EXPECT_LT(largest_gap(t.k_BTKd.grad(), wanted), 1e-12);
  EXPECT_GT(wanted.abs().max().item<double>(), 1e-3);
}

TEST(WhyNotTrained, SaysWhatOutputsDependOnBesideWhatWasDropped) {
  using testing::HasSubstr;
  EXPECT_THAT(why_not_trained(cache_of("merging")),
              HasSubstr("names merging, under which dropped states live"));
  EXPECT_THAT(why_not_trained(cache_of("summary")), HasSubstr("names summary, under which"));
  EXPECT_THAT(why_not_trained(cache_of("snapkv")), HasSubstr("only after a prompt"));
  EXPECT_THAT(why_not_trained(cache_of("surprisal")), HasSubstr("needs the loss of each token"));
  CacheOptions cache = cache_of("tova");
  cache.compress_gaps = true;
  EXPECT_THAT(why_not_trained(cache), HasSubstr("compress_gaps"));
  cache = cache_of("tova");
  cache.prompt = Prompt::one_shot;
  EXPECT_THAT(why_not_trained(cache), HasSubstr("prompt: one_shot"));
  cache = cache_of("tova");
  cache.precision = CachePrecision::bf16;
  EXPECT_THAT(why_not_trained(cache), HasSubstr("precision: model"));
  EXPECT_EQ(why_not_trained(cache_of("tova")), "");
}

}  // namespace
}  // namespace attnlab
