// The decoder: published sizes, its three ways through a text, batches, gradients.
#include "models/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "models/plain_state.h"
#include "models/small_decoders.h"

namespace attnlab {
namespace {

DecoderOptions tiny(int64_t window = 0) {
  DecoderOptions o;
  o.vocabulary = 17;
  o.dim = 12;
  o.ffn_dim = 20;
  o.layers = 2;
  o.heads = 4;
  o.kv_heads = 2;
  o.head_dim = 6;  // not dim / heads
  o.max_positions = 64;
  o.sliding_window = window;
  return o;
}

// Touvron et al. 2023 (Llama 2), Jiang et al. 2023 (Mistral 7B), 01.AI 2024 (Yi): the numbers of weights in
// their published files.
TEST(Decoder, HasAsManyWeightsAsThePublishedModels) {
  DecoderOptions llama;
  llama.vocabulary = 32000;
  llama.dim = 4096;
  llama.ffn_dim = 11008;
  llama.layers = 32;
  llama.heads = llama.kv_heads = 32;
  EXPECT_EQ(parameter_count(llama), 6'738'415'616);
  DecoderOptions mistral = llama;
  mistral.ffn_dim = 14336;
  mistral.kv_heads = 8;
  EXPECT_EQ(parameter_count(mistral), 7'241'732'096);
  DecoderOptions yi = llama;
  yi.vocabulary = 64000;
  yi.kv_heads = 4;
  EXPECT_EQ(parameter_count(yi), 6'061'035'520);
}

TEST(Decoder, ItsWeightsBearTheNamesOfHuggingFacesFiles) {
  const Decoder decoder(tiny(), torch::TensorOptions().device(torch::kMeta));
  std::vector<std::string> names;
  for (const auto& p : decoder->named_parameters()) names.push_back(p.key());
  EXPECT_THAT(names,
              testing::IsSupersetOf(
                  {"model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight",
                   "model.layers.1.self_attn.o_proj.weight", "model.layers.1.mlp.down_proj.weight",
                   "model.layers.0.input_layernorm.weight", "model.layers.0.post_attention_layernorm.weight",
                   "model.norm.weight", "lm_head.weight"}));
  EXPECT_EQ(names.size(), 2 * 9 + 3);
}

class DecoderPaths : public testing::TestWithParam<int64_t> {};  // sliding window

TEST_P(DecoderPaths, TextAtOnceInPiecesAndTrainingAgree) {
  const torch::NoGradGuard no_grad;
  Decoder decoder = small_decoder(tiny(GetParam()));
  const Tensor ids_BT = small_texts(2, 11), positions_BT = positions_of(ids_BT);
  const Tensor trained = decoder->forward_training(ids_BT);
  DecoderState states = plain_states(2, GetParam());
  EXPECT_LT(largest_gap(decoder->forward(ids_BT, positions_BT, {}, states), trained), 1e-12);
  DecoderState pieces = plain_states(2, GetParam());
  std::vector<Tensor> outputs;
  for (const auto& [first, n] : {std::pair{0, 4}, {4, 1}, {5, 6}})
    outputs.push_back(
        decoder->forward(ids_BT.narrow(1, first, n), positions_BT.narrow(1, first, n), {}, pieces));
  EXPECT_LT(largest_gap(torch::cat(outputs, 1), trained), 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Windows, DecoderPaths, testing::Values(0, 4));

TEST(Decoder, ALeftPaddedTextInABatchIsAsAlone) {
  const torch::NoGradGuard no_grad;
  Decoder decoder = small_decoder(tiny());
  const Tensor ids_BT = small_texts(1, 9);
  const Tensor alone = decoder->forward_training(ids_BT);
  const Tensor padded_ids = torch::cat({torch::zeros({1, 3}, torch::kLong), ids_BT}, 1);
  const Tensor positions = (torch::arange(12, torch::kLong) - 3).clamp_min(0).unsqueeze(0);
  const Tensor padding = (torch::arange(12) < 3).unsqueeze(0);
  DecoderState states = plain_states(2);
  const Tensor batched = decoder->forward(padded_ids, positions, padding, states);
  EXPECT_LT(largest_gap(batched.narrow(1, 3, 9), alone), 1e-12);
}

TEST(Decoder, TrainingHasTheGradientOfFiniteDifferences) {
  Decoder decoder = small_decoder(tiny());
  const Tensor ids_BT = small_texts(2, 6);
  const auto loss = [&] { return loss_of(decoder, decoder->forward_training(ids_BT), ids_BT); };
  expect_gradients_of_finite_differences(decoder, loss);
}

TEST(Decoder, TiedEmbeddingsAreOneTable) {
  DecoderOptions tied = tiny();
  tied.tied_embeddings = true;
  EXPECT_EQ(parameter_count(tiny()) - parameter_count(tied), 17 * 12);
  Decoder decoder = small_decoder(tied);
  const Tensor hidden = torch::randn({1, 12}, torch::kDouble);
  const Tensor table = decoder->named_parameters()["model.embed_tokens.weight"];
  EXPECT_LT(largest_gap(decoder->logits(hidden), torch::matmul(hidden, table.t())), 1e-12);
}

TEST(Decoder, RefusesSizesThatContradictEachOther) {
  const auto sentence = [](auto change) -> std::string {
    DecoderOptions o = tiny();
    change(o);
    try {
      Decoder decoder(o);
    } catch (const UserError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  EXPECT_EQ(sentence([](auto& o) { o.kv_heads = 3; }), "3 key-value heads do not divide 4 query heads");
  EXPECT_EQ(sentence([](auto& o) { o.head_dim = 5; }), "rotary positions need an even head size, not 5");
  EXPECT_EQ(sentence([](auto& o) { o.head_dim = 0, o.dim = 14; }),
            "4 heads do not divide a model width of 14, and no head size is given");
}

}  // namespace
}  // namespace attnlab
