// The decoder whose attention is causal Luna: its three ways through a text against each other and against
// the paper's sums written out token by token.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "cache/cache_options.h"
#include "core/error.h"
#include "models/decoder_luna.h"
#include "models/small_decoders.h"

namespace attnlab {
namespace {

using Omega = CausalLunaOptions::Omega;

struct LunaCase {
  Omega omega = Omega::softplus;
  bool tied = false;
  int64_t length = 5;
  LunaPositions positions = LunaPositions::sinusoidal;
  CausalLunaForm form = CausalLunaForm::scan;
};

DecoderLunaOptions& luna_of(const DecoderOptions& o) {
  return dynamic_cast<DecoderLunaOptions&>(*o.attention);
}

DecoderOptions tiny_luna(const LunaCase& one = {}) {
  DecoderOptions o;
  o.vocabulary = 17;
  o.dim = 12;
  o.ffn_dim = 20;
  o.layers = 2;
  o.heads = 2;
  o.head_dim = 4;  // not dim / heads
  o.max_positions = 400;
  o.attention.select("luna");
  auto& luna = luna_of(o);
  luna.length = one.length;
  luna.sums.omega = one.omega;
  luna.sums.tie_kv = one.tied;
  luna.sums.form = one.form;
  luna.positions = one.positions;
  return o;
}

DecoderState luna_states(const Decoder& decoder, int64_t batch) {
  return make_states({}, state_shape(decoder->options()), {.batch = batch, .dtype = torch::kDouble});
}

/// One head of one text, as the paper writes it: q, k, v [T, d], a [T, l].
Tensor sums_written_out(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& a) {
  const int64_t t = q.size(0), d = q.size(1), l = a.size(1);
  Tensor keys = torch::zeros({d, l}, q.options()), values = torch::zeros({l, d}, q.options());
  Tensor y = torch::zeros_like(v);
  for (int64_t i = 0; i < t; ++i) {
    keys = keys + torch::outer(k[i], a[i]);
    values = values + torch::outer(a[i], v[i]);
    const double n = static_cast<double>(i + 1);
    const Tensor u = torch::softmax(torch::matmul(q[i] / std::sqrt(static_cast<double>(d)), keys) / n, 0);
    y[i] = torch::matmul(u, values) / n;
  }
  return y;
}

/// The whole model from its tensors alone.
Tensor hidden_written_out(const Decoder& decoder, const Tensor& ids_T) {
  const DecoderOptions& o = decoder->options();
  const auto weights = decoder->named_parameters();
  const auto times = [&](const Tensor& x, const std::string& name) {
    return torch::matmul(x, weights[name].t());
  };
  const auto norm = [&](const Tensor& x, const std::string& name) {
    return x / (x.pow(2).mean(-1, true) + o.norm_eps).sqrt() * weights[name];
  };
  const int64_t t = ids_T.size(0), d = o.head_dim;
  const Tensor angle = torch::outer(torch::arange(t, torch::kDouble),
                                    torch::pow(o.rope_theta, -torch::arange(0, d, 2, torch::kDouble) / d));
  const bool rotary = luna_of(o).positions == LunaPositions::rotary;
  const auto rotated = [&](const Tensor& x_Td) {
    if (!rotary) return x_Td;
    const Tensor first = x_Td.slice(1, 0, d / 2), second = x_Td.slice(1, d / 2, d);
    return torch::cat(
        {first * angle.cos() - second * angle.sin(), second * angle.cos() + first * angle.sin()}, 1);
  };
  Tensor x = weights["model.embed_tokens.weight"].index_select(0, ids_T);
  const int64_t half = o.dim / 2;
  for (int64_t p = 0; p < t && !rotary; ++p)
    for (int64_t i = 0; i < half; ++i) {
      const double at = static_cast<double>(p) / std::pow(1e4, static_cast<double>(i) / (half - 1.0));
      x[p][i] += 0.02 * std::sin(at);
      x[p][half + i] += 0.02 * std::cos(at);
    }
  for (int64_t i = 0; i < o.layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".", at = layer + "self_attn.";
    const bool tied = luna_of(o).sums.tie_kv;
    const Tensor n = norm(x, layer + "input_layernorm.weight");
    const Tensor q = times(n, at + "q_proj.weight"),
                 k = times(n, at + (tied ? "kv_proj.weight" : "k_proj.weight")),
                 v = times(n, at + (tied ? "kv_proj.weight" : "v_proj.weight")),
                 c = times(n, at + "pack_context.weight"),
                 p = times(weights["model.luna_state.weight"], at + "pack_query.weight");
    std::vector<Tensor> heads;
    for (int64_t h = 0; h < o.heads; ++h) {
      const auto head = [&](const Tensor& y) { return y.slice(1, h * d, (h + 1) * d); };
      const Tensor scores = torch::matmul(head(c), head(p).t()) / std::sqrt(static_cast<double>(d));
      const Tensor a = luna_of(o).sums.omega == Omega::elu
                           ? torch::where(scores > 0, scores + 1, scores.exp())
                           : torch::log2(1 + torch::exp2(scores));
      heads.push_back(sums_written_out(rotated(head(q)), rotated(head(k)), head(v), a));
    }
    x = x + times(torch::cat(heads, 1), at + "o_proj.weight");
    const Tensor m = norm(x, layer + "post_attention_layernorm.weight");
    x = x +
        times(torch::silu(times(m, layer + "mlp.gate_proj.weight")) * times(m, layer + "mlp.up_proj.weight"),
              layer + "mlp.down_proj.weight");
  }
  return norm(x, "model.norm.weight");
}

class LunaDecoder : public testing::TestWithParam<LunaCase> {};

TEST_P(LunaDecoder, IsThePapersFormula) {
  const torch::NoGradGuard no_grad;
  Decoder decoder = small_decoder(tiny_luna(GetParam()));
  const Tensor ids_BT = small_texts(2, 75);  // more than a chunk of the kernel
  const Tensor hidden = decoder->forward_training(ids_BT);
  for (int64_t b = 0; b < 2; ++b)
    EXPECT_LT(largest_gap(hidden[b], hidden_written_out(decoder, ids_BT[b])), 1e-10);
}

TEST_P(LunaDecoder, TextAtOnceInPiecesAndTokenByTokenAgree) {
  const torch::NoGradGuard no_grad;
  Decoder decoder = small_decoder(tiny_luna(GetParam()));
  const Tensor ids_BT = small_texts(2, 139), positions_BT = positions_of(ids_BT);
  const Tensor trained = decoder->forward_training(ids_BT);
  const std::vector<std::vector<int64_t>> ways = {{139}, {1, 64, 65, 3, 1, 5}, std::vector<int64_t>(139, 1)};
  for (const auto& way : ways) {
    DecoderState states = luna_states(decoder, 2);
    std::vector<Tensor> outputs;
    int64_t first = 0;
    for (const int64_t n : way) {
      outputs.push_back(
          decoder->forward(ids_BT.narrow(1, first, n), positions_BT.narrow(1, first, n), {}, states));
      first += n;
    }
    EXPECT_LT(largest_gap(torch::cat(outputs, 1), trained), 1e-10) << way.size() << " calls";
  }
}

TEST_P(LunaDecoder, PaddedTextsOfABatchAreAsAlone) {
  const torch::NoGradGuard no_grad;
  Decoder decoder = small_decoder(tiny_luna(GetParam()));
  const Tensor ids_BT = small_texts(1, 70);
  const Tensor alone = decoder->forward_training(ids_BT);
  constexpr int64_t left = 67;  // so that a whole piece is padding
  const Tensor more = small_texts(1, left + 70);
  const Tensor batch = torch::cat({torch::cat({torch::zeros({1, left}, torch::kLong), ids_BT}, 1), more}, 0);
  const Tensor positions = torch::cat({positions_of(more, left), positions_of(more)}, 0);
  const Tensor at = torch::arange(left + 70);
  const Tensor padding = torch::stack({at < left, at < 0});
  DecoderState states = luna_states(decoder, 2);
  std::vector<Tensor> outputs;
  for (const auto& [first, n] : {std::pair<int64_t, int64_t>{0, 100}, {100, 1}, {101, 36}})
    outputs.push_back(decoder->forward(batch.narrow(1, first, n), positions.narrow(1, first, n),
                                       padding.narrow(1, first, n), states));
  const Tensor together = torch::cat(outputs, 1);
  EXPECT_LT(largest_gap(together[0].narrow(0, left, 70), alone[0]), 1e-10);
  EXPECT_LT(largest_gap(together[1], decoder->forward_training(more)[0]), 1e-10);
  EXPECT_TRUE(together.isfinite().all().item<bool>());
}

TEST_P(LunaDecoder, ATokenChangesNothingBeforeIt) {
  Decoder decoder = small_decoder(tiny_luna(GetParam()));
  constexpr int64_t n = 80, changed = 66;
  const Tensor ids_BT = small_texts(1, n);
  Tensor other_BT = ids_BT.clone();
  other_BT[0][changed] = (other_BT[0][changed] + 1) % 17;
  const auto gradients = [&](const Tensor& ids) {
    decoder->zero_grad();
    const Tensor hidden = decoder->forward_training(ids);
    hidden.narrow(1, 0, changed).pow(2).sum().backward();
    return std::pair{hidden.detach().clone(),
                     decoder->named_parameters()["model.luna_state.weight"].grad().clone()};
  };
  const auto [hidden, gradient] = gradients(ids_BT);
  const auto [other_hidden, other_gradient] = gradients(other_BT);
  EXPECT_TRUE(torch::equal(hidden.narrow(1, 0, changed), other_hidden.narrow(1, 0, changed)));
  EXPECT_GT(largest_gap(hidden.narrow(1, changed, n - changed), other_hidden.narrow(1, changed, n - changed)),
            1e-6);
  EXPECT_TRUE(torch::equal(gradient, other_gradient));
  EXPECT_GT(gradient.abs().max().item<double>(), 0);
}

TEST_P(LunaDecoder, TrainingHasTheGradientOfFiniteDifferences) {
  Decoder decoder = small_decoder(tiny_luna(GetParam()));
  const Tensor ids_BT = small_texts(2, 9);
  const auto loss = [&] { return loss_of(decoder, decoder->forward_training(ids_BT), ids_BT); };
  expect_gradients_of_finite_differences(decoder, loss);
}

INSTANTIATE_TEST_SUITE_P(Kinds, LunaDecoder,
                         testing::Values(LunaCase{}, LunaCase{.omega = Omega::elu}, LunaCase{.tied = true},
                                         LunaCase{.positions = LunaPositions::rotary}, LunaCase{.length = 1},
                                         LunaCase{.length = 90}),
                         [](const auto& info) {
                           const LunaCase& c = info.param;
                           return std::string(c.omega == Omega::elu ? "Elu" : "Softplus") +
                                  (c.tied ? "Tied" : "") +
                                  (c.positions == LunaPositions::rotary ? "Rotary" : "") +
                                  std::to_string(c.length);
                         });

TEST(LunaDecoderOptions, TheFormThatIsAskedForIsTheOneThatRuns) {
  const torch::NoGradGuard no_grad;
  const Tensor ids_BT = small_texts(2, 75);
  const auto hidden = [&](CausalLunaForm form) {
    torch::manual_seed(3);
    Decoder decoder(tiny_luna({.form = form}), torch::kFloat);
    return decoder->forward_training(ids_BT);
  };
  const Tensor scan = hidden(CausalLunaForm::scan), chunks = hidden(CausalLunaForm::chunks);
  const Tensor outer_products = hidden(CausalLunaForm::outer_products);
  EXPECT_NE(causal_luna_forms_run().find("outer_products"), std::string::npos);
  EXPECT_FALSE(scan.equal(chunks));
  EXPECT_FALSE(chunks.equal(outer_products));
  EXPECT_LT(largest_gap(scan, chunks), 1e-5);
  EXPECT_LT(largest_gap(scan, outer_products), 1e-5);
}

TEST(LunaDecoderState, TakesAsManyBytesAfterAnyNumberOfTokens) {
  const torch::NoGradGuard no_grad;
  Decoder decoder(tiny_luna());
  DecoderState states = make_states({}, state_shape(decoder->options()), {.batch = 3});
  const int64_t sums = 2 /*layers*/ * 2 /*heads*/ * 5 * 2 * 4 * 4 /*bytes*/, counts = 2 * 8;
  for (const int64_t n : {1, 90, 1}) {
    const Tensor ids_BT = small_texts(3, n);
    decoder->forward(ids_BT, positions_of(ids_BT), {}, states);
    EXPECT_EQ(bytes_of(states), 3 * (sums + counts));
  }
}

TEST(LunaDecoderState, GoesOnFromCopiesAndInAnotherOrder) {
  const torch::NoGradGuard no_grad;
  Decoder decoder = small_decoder(tiny_luna());
  const Tensor ids_BT = small_texts(2, 20), positions_BT = positions_of(ids_BT);
  DecoderState states = luna_states(decoder, 2);
  decoder->forward(ids_BT.narrow(1, 0, 12), positions_BT.narrow(1, 0, 12), {}, states);
  const Tensor rows = torch::tensor({1, 0, 1}), last = ids_BT.narrow(1, 12, 8),
               there = positions_BT.narrow(1, 12, 8);
  DecoderState copies = copy_of(states, rows);
  const Tensor expected = decoder->forward_training(ids_BT).narrow(1, 12, 8);
  EXPECT_LT(largest_gap(decoder->forward(last.index_select(0, rows), there.index_select(0, rows), {}, copies),
                        expected.index_select(0, rows)),
            1e-10);
  for (auto& state : states) state->reorder(torch::tensor({1, 0}));
  EXPECT_LT(largest_gap(decoder->forward(last.flip(0), there, {}, states), expected.flip(0)), 1e-10);
}

TEST(LunaDecoderState, RefusesWhatKeepsTokens) {
  const StateShape shape = state_shape(tiny_luna());
  const auto sentence = [&](auto change) -> std::string {
    CacheOptions cache;
    change(cache);
    try {
      make_states(cache, shape, {});
    } catch (const UserError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  const std::string luna = "the model's attention is Luna, which keeps 5 × 2d sums a head and no tokens: ";
  for (const char* policy : {"window", "h2o", "tova"})
    EXPECT_EQ(sentence([&](auto& c) { c.policy.select(policy); }),
              luna + "cache.policy must be full, not " + policy);
  EXPECT_EQ(sentence([](auto& c) { c.precision = CachePrecision::bf16; }),
            luna + "cache.precision must be model, not bf16");
  EXPECT_EQ(sentence([](auto& c) { c.compress_gaps = true; }),
            luna + "cache.compress_gaps must be false, not true");
}

TEST(LunaDecoderOptions, RefuseWhatHasNoSums) {
  const auto sentence = [](auto change) -> std::string {
    DecoderOptions o = tiny_luna();
    change(o);
    try {
      Decoder decoder(o);
    } catch (const UserError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  EXPECT_EQ(sentence([](auto& o) { o.kv_heads = 1; }),
            "Luna's sums are of every head's own keys and values: kv_heads must be 2, or 0, not 1");
  EXPECT_EQ(sentence([](auto& o) { o.sliding_window = 8; }),
            "Luna's sums are of all tokens: sliding_window must be 0, not 8");
}

// Beside the Transformer of the same sizes: P, and two projections a layer (one where keys and values are
// tied).
TEST(LunaDecoderOptions, AddPAndTheProjectionsOfItsScores) {
  DecoderOptions softmax = tiny_luna();
  softmax.attention.select("softmax");
  EXPECT_EQ(parameter_count(tiny_luna()) - parameter_count(softmax), 5 * 12 + 2 * 2 * 8 * 12);
  EXPECT_EQ(parameter_count(tiny_luna({.tied = true})) - parameter_count(softmax), 5 * 12 + 2 * 8 * 12);
}

}  // namespace
}  // namespace attnlab
