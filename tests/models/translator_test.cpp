// The translator: its size as published, and token by token the same as a target given whole.
#include "models/translator.h"

#include <gtest/gtest.h>

#include "attention/causal_luna.h"
#include "core/error.h"
#include "models/small_models.h"
#include "models/translator_steps.h"

namespace attnlab {
namespace {

struct Kind {
  bool luna = false, tied = false, norm_first = false;
  CausalLunaOptions::Omega omega = CausalLunaOptions::Omega::softplus;
};
std::string name_of(const Kind& kind) {
  return std::string(kind.luna ? "Luna" : "Transformer") + (kind.tied ? "Tied" : "") +
         (kind.omega == CausalLunaOptions::Omega::elu ? "Elu" : "") +
         (kind.norm_first ? "PreNorm" : "PostNorm");
}
void PrintTo(const Kind& kind, std::ostream* out) { *out << name_of(kind); }

TranslatorOptions translator_options(const Kind& kind, int64_t l = 4) {
  TranslatorOptions o;
  o.encoder.norm_first = kind.norm_first;
  if (!kind.luna) return o;
  for (auto* attention : {&o.encoder.attention, &o.cross_attention}) {
    *attention = Choice<AttentionOptions>("luna");
    auto& luna = dynamic_cast<LunaOptions&>(**attention);
    luna.projection_length = l;
    luna.tie_kv = kind.tied;
  }
  o.self_attention = Choice<CausalAttentionOptions>("luna");
  auto& causal = dynamic_cast<CausalLunaOptions&>(*o.self_attention);
  causal.tie_kv = kind.tied;
  causal.omega = kind.omega;
  return o;
}

Translator small_translator(const Kind& kind) {
  TranslatorOptions o = translator_options(kind);
  o.encoder.dim = 8;
  o.encoder.heads = 2;
  o.encoder.ffn_dim = 12;
  o.encoder.layers = o.decoder_layers = 2;
  torch::manual_seed(2);
  Translator model(o, small_vocabulary, 90);
  model->to(torch::kDouble);
  model->eval();
  return model;
}

TEST(Translator, HasThePublishedNumbersOfParameters) {
  const auto count = [](const Kind& kind) {
    return parameter_count(*Translator(translator_options(kind, 32), 40624, 1024));
  };
  EXPECT_EQ(count({}), 64'937'984);
  EXPECT_EQ(count({.luna = true, .tied = true}), 69'694'464);
  EXPECT_EQ(count({.luna = true}), 77'574'144);
}

TEST(Translator, SharesEmbeddingsAsAskedFor) {
  const auto tables = [](SharedEmbeddings shared) {
    TranslatorOptions o = translator_options({});
    o.shared_embeddings = shared;
    o.encoder.dim = o.encoder.ffn_dim = 8;
    return parameter_count(*Translator(o, 1000, 20)) / 8000;
  };
  EXPECT_EQ(tables(SharedEmbeddings::all), 1);
  EXPECT_EQ(tables(SharedEmbeddings::target), 2);
  EXPECT_EQ(tables(SharedEmbeddings::none), 3);
}

class TranslatorKinds : public testing::TestWithParam<Kind> {
 protected:
  Encoded encoded(bool left) {
    const PaddedIds source = padded({{5, 6, 7, 8, 9, 10}, {11, 12, 13}, {14, 15, 16, 17, 18}}, left);
    return model->encode(source.ids_BN, source.padding_BN);
  }
  Translator model = small_translator(GetParam());
  torch::NoGradGuard no_grad;
};
using Omega = CausalLunaOptions::Omega;
INSTANTIATE_TEST_SUITE_P(Every, TranslatorKinds,
                         testing::Values(Kind{}, Kind{.norm_first = true}, Kind{.luna = true},
                                         Kind{.luna = true, .tied = true},
                                         Kind{.luna = true, .norm_first = true},
                                         Kind{.luna = true, .omega = Omega::elu}),
                         [](const auto& info) { return name_of(info.param); });

TEST_P(TranslatorKinds, TokenByTokenIsTheSameAsATargetGivenWhole) {
  // In fp32 it is native code that decodes.
  for (const auto& [type, left, tolerance] : {std::tuple{torch::kDouble, false, 1e-10},
                                              {torch::kDouble, true, 1e-10},
                                              {torch::kFloat, false, 1e-5}}) {
    model->to(type);
    const Encoded source = encoded(left);
    const int64_t tokens = 80;
    const Tensor target_BT = torch::randint(4, small_vocabulary, {3, tokens});
    const Tensor whole_BTV = at::linear(model->decode(target_BT, {}, source), model->projection());
    TranslatorSteps steps(model, source);
    for (int64_t t = 0; t < tokens; ++t)
      ASSERT_LT(largest_difference(steps.read(target_BT.select(1, t)), whole_BTV.select(1, t)), tolerance)
          << "token " << t << (left ? ", padded on the left" : "") << " in " << type;
  }
}

TEST_P(TranslatorKinds, TextsGoOnFromThoseSelected) {
  for (const auto& [type, tolerance] : {std::pair{torch::kDouble, 1e-10}, {torch::kFloat, 1e-5}}) {
    model->to(type);
    const Encoded source = encoded(false);
    TranslatorSteps steps(model, source);
    steps.read(torch::tensor({2, 2, 2}));
    steps.select(torch::tensor({0, 0, 2, 2}), 2);  // the second sentence is given up
    steps.read(torch::tensor({5, 6, 7, 8}));
    steps.select(torch::tensor({1, 0, 3, 3}), 2);
    const Tensor logits_RV = steps.read(torch::tensor({9, 9, 9, 10}));
    const auto expected = [&](int64_t sentence, std::vector<int64_t> target) {
      const Tensor ids = torch::tensor(target).unsqueeze(0).expand({3, -1});
      return at::linear(model->decode(ids, {}, source), model->projection())[sentence][-1];
    };
    EXPECT_LT(largest_difference(logits_RV[0], expected(0, {2, 6, 9})), tolerance);
    EXPECT_LT(largest_difference(logits_RV[1], expected(0, {2, 5, 9})), tolerance);
    EXPECT_LT(largest_difference(logits_RV[3], expected(2, {2, 8, 10})), tolerance);
  }
}

TEST_P(TranslatorKinds, APairIsTranslatedTheSameInAnyBatch) {
  const PaddedIds alone = padded({{11, 12, 13}});
  const Tensor target = torch::tensor({{2, 5, 6}});
  const Tensor own = model->decode(target, {}, model->encode(alone.ids_BN, {}));
  const PaddedIds targets = padded({{2, 5, 6, 7, 8}, {2, 5, 6}, {2, 9}});
  for (const bool left : {false, true}) {
    const Tensor in_batch = model->decode(targets.ids_BN, targets.padding_BN, encoded(left));
    EXPECT_LT(largest_difference(in_batch[1].narrow(0, 0, 3), own[0]), 1e-10);
  }
}

TEST_P(TranslatorKinds, ASourceOfOneTokenIsTranslatedAsAnyOther) {
  for (const auto& [type, tolerance] : {std::pair{torch::kDouble, 1e-10}, {torch::kFloat, 1e-5}}) {
    model->to(type);
    const Encoded alone = model->encode(torch::tensor({{11}}), {});
    const Tensor target_BT = torch::tensor({{2, 5, 6, 7}});
    const Tensor whole_BTV = at::linear(model->decode(target_BT, {}, alone), model->projection());
    EXPECT_TRUE(whole_BTV.isfinite().all().item<bool>());
    TranslatorSteps steps(model, alone);
    for (int64_t t = 0; t < target_BT.size(1); ++t)
      EXPECT_LT(largest_difference(steps.read(target_BT.select(1, t)), whole_BTV.select(1, t)), tolerance)
          << "token " << t;
    // Padded beside a longer one on either side, and with a target of one token as well.
    for (const bool left : {false, true}) {
      const PaddedIds sources = padded({{5, 6, 7, 8}, {11}}, left);
      const Encoded both = model->encode(sources.ids_BN, sources.padding_BN);
      for (const int64_t tokens : {1, 4}) {
        const Tensor target = target_BT.narrow(1, 0, tokens);
        EXPECT_LT(largest_difference(model->decode(target.expand({2, tokens}), {}, both)[1],
                                     model->decode(target, {}, alone)[0]),
                  tolerance);
      }
    }
  }
}

TEST_P(TranslatorKinds, WhatATextKeepsIsBoundedUnderLunaAlone) {
  TranslatorSteps steps(model, encoded(false));
  const auto after = [&](int64_t tokens) {
    for (int64_t t = 0; t < tokens; ++t) steps.read(torch::tensor({5, 6, 7}));
    return steps.bytes();
  };
  const int64_t few = after(2), many = after(60);
  if (GetParam().luna)
    EXPECT_EQ(few, many);
  else
    EXPECT_GT(many, 2 * few);
}

TEST(Translator, RefusesLunaOverAnEncoderWithoutAState) {
  TranslatorOptions o = translator_options({.luna = true});
  o.encoder.attention = Choice<AttentionOptions>("softmax");
  EXPECT_THROW(Translator(o, small_vocabulary, 20), UserError);
}

}  // namespace
}  // namespace attnlab
