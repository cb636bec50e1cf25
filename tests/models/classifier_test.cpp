#include "models/classifier.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "models/small_models.h"

namespace attnlab {
namespace {

const std::vector<std::vector<int64_t>> sentences{
    {19, 4, 7}, {19, 5, 6, 7, 8, 9, 10, 11, 2}, {19}, {19, 18, 4, 2, 6}};

// 4 layers × 256, 4 heads, FFN 1024, 261 symbols, 4002 tokens: the recipe of configs/model/lra_text.yaml.
ClassifierOptions lra_options(std::string_view attention, int64_t l = 0) {
  ClassifierOptions o;
  o.encoder.attention = Choice<AttentionOptions>(attention);
  if (auto* luna = dynamic_cast<LunaOptions*>(&*o.encoder.attention)) luna->projection_length = l;
  return o;
}

// Counted in the released code (fairseq-apollo, November 2021).
TEST(Classifier, HasThePublishedNumberOfParameters) {
  for (const auto& [l, count] : {std::pair{16, 5'312'768}, {128, 5'341'440}, {256, 5'374'208}})
    EXPECT_EQ(parameter_count(*Classifier(lra_options("luna", l), 261, 4002, 2)), count) << "l = " << l;
}

TEST(Classifier, TransformerHasTheNumberOfParametersCountedByHand) {
  const int64_t embeddings = 261 * 256 + (4002 + 2) * 256 + 2 * 256;
  const int64_t layer = 4 * (256 * 256 + 256) + (256 * 1024 + 1024) + (1024 * 256 + 256) + 2 * 2 * 256;
  const int64_t head = 256 * 1024 + 1024 + 1024 * 2;
  EXPECT_EQ(embeddings + 4 * layer + head, 4'516'608);
  EXPECT_EQ(parameter_count(*Classifier(lra_options("softmax"), 261, 4002, 2)), 4'516'608);
}

TEST(Classifier, TyingKeysAndValuesSavesTwoLinearsALayer) {
  ClassifierOptions untied = small_options(), tied = small_options();
  dynamic_cast<LunaOptions&>(*tied.encoder.attention).tie_kv = true;
  EXPECT_EQ(parameter_count(*small_classifier(untied)) - parameter_count(*small_classifier(tied)),
            2 * 2 * (8 * 8 + 8));
}

TEST(Classifier, NamesItsWeightsAsDocumented) {
  const auto parameters = small_classifier(small_options())->named_parameters();
  for (const char* name :
       {"encoder.tokens.weight", "encoder.positions.weight", "encoder.state", "encoder.embedding_norm.weight",
        "encoder.state_norm.bias", "encoder.layers.0.attention.pack_query.weight",
        "encoder.layers.1.attention_norm.bias", "encoder.layers.1.state_norm.weight",
        "encoder.layers.0.ffn_in.weight", "encoder.layers.0.ffn_out.bias", "encoder.layers.0.ffn_norm.weight",
        "hidden.weight", "hidden.bias", "classes.weight"})
    EXPECT_TRUE(parameters.contains(name)) << name;
  EXPECT_FALSE(parameters.contains("classes.bias"));
}

struct PaddingCase {
  std::string attention;
  Pooling pooling;
  bool norm_first;
};

void PrintTo(const PaddingCase& c, std::ostream* out) { *out << c.attention; }

class ClassifierPadding : public testing::TestWithParam<PaddingCase> {};

TEST_P(ClassifierPadding, GivesAPaddedBatchTheLogitsOfEachSentenceAlone) {
  ClassifierOptions options = small_options(GetParam().attention);
  options.pooling = GetParam().pooling;
  options.encoder.norm_first = GetParam().norm_first;
  Classifier model = small_classifier(options);
  for (const bool left : {false, true})
    for (const int64_t extra : {0, 3}) {
      const PaddedIds batch = padded(sentences, left, extra);
      const Tensor together = model(batch.ids_BN, batch.padding_BN);
      for (size_t i = 0; i < sentences.size(); ++i) {
        const Tensor alone = model(torch::tensor(sentences[i]).unsqueeze(0));
        EXPECT_LT(largest_difference(together[i], alone[0]), 2e-6)
            << "sentence " << i << (left ? ", left" : "");
      }
    }
}

INSTANTIATE_TEST_SUITE_P(Every, ClassifierPadding,
                         testing::Values(PaddingCase{"luna", Pooling::first, false},
                                         PaddingCase{"luna", Pooling::mean, false},
                                         PaddingCase{"luna", Pooling::mean, true},
                                         PaddingCase{"softmax", Pooling::first, false},
                                         PaddingCase{"softmax", Pooling::mean, false},
                                         PaddingCase{"softmax", Pooling::first, true}));

TEST(Classifier, RepeatsItselfInEvaluationAndFromTheSeedInTraining) {
  ClassifierOptions options = small_options();
  options.encoder.dropout = options.encoder.attention_dropout = options.encoder.activation_dropout = 0.3;
  options.head_dropout = 0.3;
  Classifier model = small_classifier(options);
  const PaddedIds batch = padded(sentences);
  const auto logits_after_seed = [&](uint64_t seed) {
    torch::manual_seed(seed);
    return model(batch.ids_BN, batch.padding_BN);
  };
  EXPECT_TRUE(torch::equal(logits_after_seed(1), logits_after_seed(2)));
  model->train();
  EXPECT_TRUE(torch::equal(logits_after_seed(1), logits_after_seed(1)));
  EXPECT_FALSE(torch::equal(logits_after_seed(1), logits_after_seed(2)));
}

TEST(Classifier, StaysFiniteWhereASentenceHasNoToken) {
  for (const char* attention : {"luna", "softmax"})
    for (const Pooling pooling : {Pooling::first, Pooling::mean}) {
      ClassifierOptions options = small_options(attention);
      options.pooling = pooling;
      if (auto* softmax = dynamic_cast<SoftmaxOptions*>(&*options.encoder.attention))
        softmax->implementation = SoftmaxOptions::Implementation::eager;
      Classifier model = small_classifier(options);
      const PaddedIds batch = padded({sentences[1], {}, sentences[0]});
      const Tensor logits = model(batch.ids_BN, batch.padding_BN);
      EXPECT_TRUE(logits.isfinite().all().item<bool>()) << attention;
      logits.square().sum().backward();
      for (const auto& p : model->named_parameters())
        EXPECT_TRUE(!p.value().grad().defined() || p.value().grad().isfinite().all().item<bool>()) << p.key();
    }
}

TEST(Classifier, HasTheSameGradientsWithRecompute) {
  ClassifierOptions kept = small_options(), recomputed = small_options();
  recomputed.encoder.recompute = true;
  const PaddedIds batch = padded(sentences);
  std::vector<Tensor> gradients[2];
  for (const ClassifierOptions& options : {kept, recomputed}) {
    Classifier model = small_classifier(options);
    model->train();
    model(batch.ids_BN, batch.padding_BN).square().sum().backward();
    for (const auto& p : model->parameters())
      if (p.grad().defined()) gradients[options.encoder.recompute].push_back(p.grad());
  }
  ASSERT_EQ(gradients[0].size(), gradients[1].size());
  for (size_t i = 0; i < gradients[0].size(); ++i)
    EXPECT_TRUE(torch::allclose(gradients[0][i], gradients[1][i], 1e-5, 1e-6));
}

TEST(Classifier, NormalisesASingleRowWithTheRunningStatistics) {
  ClassifierOptions options = small_options();
  options.pooled_norm = true;
  Classifier model = small_classifier(options);
  model->train();
  const PaddedIds batch = padded(sentences);
  model(batch.ids_BN, batch.padding_BN);  // moves the running statistics
  const Tensor before = model->named_buffers()["pooled_norm.running_mean"].clone();
  EXPECT_GT(before.abs().max().item<float>(), 0);
  const Tensor row = torch::tensor(sentences[1]).unsqueeze(0);
  const Tensor trained = model(row);
  EXPECT_TRUE(torch::equal(before, model->named_buffers()["pooled_norm.running_mean"]));
  model->eval();
  EXPECT_LT(largest_difference(trained, model(row)), 1e-6);
}

TEST(Classifier, CountsTheMatrixProductsOfItsForward) {
  const double n = 4000, d = 256, f = 1024, products = 4 * (4 * n * d * d + 2 * n * n * d + 2 * n * d * f);
  EXPECT_DOUBLE_EQ(Classifier(lra_options("softmax"), 261, 4002, 2)->flops(4000),
                   2 * (products + d * f + f * 2));
}

TEST(Classifier, RefusesATextLongerThanItsPositions) {
  Classifier model = small_classifier(small_options());
  EXPECT_THROW(model(torch::full({1, small_length + 1}, 4, torch::kLong)), UserError);
}

}  // namespace
}  // namespace attnlab
