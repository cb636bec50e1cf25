// Whole translators against tests/golden/make_luna_translator.py, which follows the released code one
// unpadded pair of sentences at a time.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "attention/causal_luna.h"
#include "models/small_models.h"
#include "models/translator_steps.h"

namespace attnlab {
namespace {

using nlohmann::json;

const json& golden_translators() {
  static const json all = [] {
    std::ifstream in(ATTNLAB_SOURCE_DIR "/tests/golden/luna_translator.json");
    return json::parse(in);
  }();
  return all;
}

TranslatorOptions golden_translator_options(const json& o) {
  const json& sizes = golden_translators()["sizes"];
  TranslatorOptions options;
  EncoderOptions& e = options.encoder;
  e.dim = sizes["dim"];
  e.heads = sizes["heads"];
  e.ffn_dim = sizes["ffn_dim"];
  e.layers = options.decoder_layers = sizes["layers"];
  e.dropout = e.attention_dropout = 0.0;
  e.norm_first = o["norm_first"];
  options.shared_embeddings = o["shared"] == "all"      ? SharedEmbeddings::all
                              : o["shared"] == "target" ? SharedEmbeddings::target
                                                        : SharedEmbeddings::none;
  if (!o["luna"]) return options;
  for (auto* attention : {&e.attention, &options.cross_attention}) {
    *attention = Choice<AttentionOptions>("luna");
    auto& luna = dynamic_cast<LunaOptions&>(**attention);
    luna.projection_length = sizes["projection_length"];
    luna.tie_kv = o["tie_kv"];
  }
  options.self_attention = Choice<CausalAttentionOptions>("luna");
  auto& causal = dynamic_cast<CausalLunaOptions&>(*options.self_attention);
  causal.tie_kv = o["tie_kv"];
  causal.omega = o["omega"] == "elu" ? CausalLunaOptions::Omega::elu : CausalLunaOptions::Omega::softplus;
  return options;
}

Tensor doubles_of(const json& values) {
  return torch::tensor(values.get<std::vector<double>>(), torch::kDouble);
}

class GoldenTranslator : public testing::TestWithParam<std::string> {
 protected:
  const json& golden_case() const {
    for (const json& c : golden_translators()["cases"])
      if (c["name"] == GetParam()) return c;
    throw std::runtime_error("no golden case " + GetParam());
  }

  /// The case's model with its weights, in double; its parameters must be the case's, name by name.
  Translator model() const {
    const json& sizes = golden_translators()["sizes"];
    Translator model(golden_translator_options(golden_case()["options"]), sizes["vocabulary"],
                     sizes["max_length"]);
    model->to(torch::kDouble);
    const torch::NoGradGuard no_grad;
    EXPECT_EQ(model->named_parameters().size(), golden_case()["gradients"].size());
    for (auto& p : model->named_parameters()) {
      if (!golden_case()["gradients"].contains(p.key())) {
        ADD_FAILURE() << "the golden has no weight called " << p.key();
        continue;
      }
      const json& weight = golden_translators()["weights"][p.key()];
      EXPECT_EQ(p.value().sizes(), weight["shape"].get<std::vector<int64_t>>()) << p.key();
      p.value().copy_(doubles_of(weight["values"]).view(p.value().sizes()));
    }
    return model;
  }

  /// Of all places of all targets, pair after pair: [K, V].
  Tensor golden_logits_KV() const {
    std::vector<Tensor> pairs;
    for (const json& logits : golden_case()["logits"])
      pairs.push_back(doubles_of(logits).view({-1, golden_translators()["sizes"]["vocabulary"]}));
    return torch::cat(pairs);
  }

  static PaddedIds sources(bool left) { return padded(golden_translators()["sources"], left); }
  static PaddedIds targets(bool left) { return padded(golden_translators()["targets"], left); }
  /// What the decoder reads: a target from its end's token on.
  static PaddedIds inputs(bool left) {
    std::vector<std::vector<int64_t>> texts = golden_translators()["targets"];
    for (auto& text : texts) std::rotate(text.begin(), text.end() - 1, text.end());
    return padded(texts, left);
  }

  void check_whole(torch::Dtype type, bool left, double logits_within, double gradients_within) const {
    Translator m = model();
    m->to(type);
    const PaddedIds source = sources(left), input = inputs(left);
    const Tensor hidden_BTD =
        m->decode(input.ids_BN, input.padding_BN, m->encode(source.ids_BN, source.padding_BN));
    const Tensor real_BT = input.padding_BN.logical_not();
    const Tensor logits_KV = at::linear(hidden_BTD, m->projection()).index({real_BT});
    EXPECT_LT(largest_difference(logits_KV, golden_logits_KV()), logits_within);
    const Tensor loss = torch::cross_entropy_loss(logits_KV, targets(left).ids_BN.index({real_BT}));
    EXPECT_NEAR(loss.item<double>(), golden_case()["loss"].get<double>(), logits_within);
    loss.backward();
    for (const auto& p : m->named_parameters()) {
      const json& values = golden_case()["gradients"][p.key()];
      // An absent gradient stands for zero: post-norm, nothing reads the last layer's P.
      Tensor actual = p.value().grad().defined() ? p.value().grad() : torch::zeros_like(p.value());
      const Tensor expected = values.is_null() ? torch::zeros(actual.numel()) : doubles_of(values);
      if (expected.numel() != actual.numel()) actual = actual.diagonal();
      EXPECT_LT(largest_difference(actual.flatten(), expected), gradients_within) << p.key();
    }
  }

  void check_steps(torch::Dtype type, bool left, double within) const {
    Translator m = model();
    m->to(type);
    m->eval();
    const PaddedIds source = sources(left), input = inputs(false);
    TranslatorSteps steps(m, m->encode(source.ids_BN, source.padding_BN));
    std::vector<Tensor> logits_BV;
    for (int64_t t = 0; t < input.ids_BN.size(1); ++t)
      logits_BV.push_back(steps.read(input.ids_BN.select(1, t)));
    const Tensor logits_KV = torch::stack(logits_BV, 1).index({input.padding_BN.logical_not()});
    EXPECT_LT(largest_difference(logits_KV, golden_logits_KV()), within);
  }
};

TEST_P(GoldenTranslator, AgreesInDouble) {
  for (const bool left : {false, true}) check_whole(torch::kDouble, left, 1e-10, 1e-9);
}

TEST_P(GoldenTranslator, AgreesTokenByTokenInDouble) {
  for (const bool left : {false, true}) check_steps(torch::kDouble, left, 1e-10);
}

// In fp32 the native operators run; this is the path that users train and decode with. Gradients reach 5, and
// what rounding does to them 1e-4.
TEST_P(GoldenTranslator, AgreesInFloat) {
  for (const bool left : {false, true}) {
    check_whole(torch::kFloat, left, 1e-4, 1e-3);
    check_steps(torch::kFloat, left, 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Every, GoldenTranslator,
                         testing::Values("post_norm_tied_softplus", "post_norm_untied_elu",
                                         "pre_norm_untied_softplus", "pre_norm_tied_elu",
                                         "post_norm_transformer", "pre_norm_transformer"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace attnlab
