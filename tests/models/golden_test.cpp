// Whole classifiers against tests/golden/make_luna_classifier.py, which follows the papers' formulas one
// unpadded sentence at a time.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "models/small_models.h"

namespace attnlab {
namespace {

using nlohmann::json;

const json& golden() {
  static const json all = [] {
    std::ifstream in(ATTNLAB_SOURCE_DIR "/tests/golden/luna_classifier.json");
    return json::parse(in);
  }();
  return all;
}

ClassifierOptions options_of(const json& o, LunaOptions::Kernel kernel) {
  const json& sizes = golden()["sizes"];
  ClassifierOptions options;
  EncoderOptions& e = options.encoder;
  e.dim = sizes["dim"];
  e.heads = sizes["heads"];
  e.ffn_dim = sizes["ffn_dim"];
  e.layers = sizes["layers"];
  e.activation = o["activation"] == "gelu" ? Activation::gelu : Activation::relu;
  e.dropout = e.attention_dropout = 0.0;
  e.norm_first = o["norm_first"];
  e.positions = o["positions"] == "learned" ? PositionKind::learned : PositionKind::sinusoidal;
  e.embedding_norm = o["embedding_norm"];
  e.scale_embeddings = o["scale_embeddings"];
  e.state_scale_and_positions = o["state_scale_and_positions"];
  e.attention = Choice<AttentionOptions>(o["type"].get<std::string>());
  if (auto* luna = dynamic_cast<LunaOptions*>(&*e.attention)) {
    luna->projection_length = sizes["projection_length"];
    luna->tie_kv = o["tie_kv"];
    luna->dynamic_projection = o["dynamic_projection"];
    luna->kernel = kernel;
  }
  options.head_dim = sizes["head_dim"];
  options.pooling = o["pooling"] == "first" ? Pooling::first : Pooling::mean;
  return options;
}

Tensor tensor_of(const json& values, at::IntArrayRef shape) {
  return torch::tensor(values.get<std::vector<double>>(), torch::kDouble).view(shape);
}

/// The model of a case with the case's weights, in double; its parameters must be the case's, name by name.
Classifier model_of(const json& c, LunaOptions::Kernel kernel) {
  const json& sizes = golden()["sizes"];
  Classifier model(options_of(c["options"], kernel), sizes["vocabulary"], sizes["max_length"],
                   sizes["classes"]);
  model->to(torch::kDouble);
  torch::NoGradGuard no_grad;
  EXPECT_EQ(model->named_parameters().size(), c["weights"].size());
  for (auto& p : model->named_parameters()) {
    if (!c["weights"].contains(p.key())) {
      ADD_FAILURE() << "the golden has no weight called " << p.key();
      continue;
    }
    const json& weight = c["weights"][p.key()];
    p.value().copy_(tensor_of(weight["values"], weight["shape"].get<std::vector<int64_t>>()));
  }
  return model;
}

struct Tolerance {
  double logits, gradients;
};

void check(const json& c, Classifier model, torch::Dtype type, bool left, Tolerance tolerance) {
  const PaddedIds batch = padded(golden()["sentences"].get<std::vector<std::vector<int64_t>>>(), left);
  const Tensor logits = model(batch.ids_BN, batch.padding_BN);
  EXPECT_LT(largest_difference(logits, tensor_of(c["logits"], logits.sizes()).to(type)), tolerance.logits);
  const Tensor labels = torch::tensor(golden()["labels"].get<std::vector<int64_t>>());
  const Tensor loss = torch::cross_entropy_loss(logits, labels);
  EXPECT_NEAR(loss.item<double>(), c["loss"].get<double>(), tolerance.logits);
  loss.backward();
  for (const auto& p : model->named_parameters()) {
    const json& values = c["gradients"][p.key()];
    const Tensor expected = values.is_null()
                                ? torch::zeros_like(p.value())  // the last LN_P is read by nothing
                                : tensor_of(values, p.value().sizes()).to(type);
    // An absent gradient stands for zero.
    const Tensor actual = p.value().grad().defined() ? p.value().grad() : torch::zeros_like(p.value());
    EXPECT_LT(largest_difference(actual, expected), tolerance.gradients) << p.key();
  }
}

class GoldenClassifier : public testing::TestWithParam<std::string> {
 protected:
  const json& golden_case() const {
    for (const json& c : golden()["cases"])
      if (c["name"] == GetParam()) return c;
    throw std::runtime_error("no golden case " + GetParam());
  }
};

TEST_P(GoldenClassifier, AgreesInDouble) {
  for (const bool left : {false, true})
    check(golden_case(), model_of(golden_case(), LunaOptions::Kernel::plain), torch::kDouble, left,
          {1e-9, 1e-9});
}

// In fp32 the native operators run; this is the path that users train with.
TEST_P(GoldenClassifier, AgreesInFloat) {
  for (const auto kernel : {LunaOptions::Kernel::automatic, LunaOptions::Kernel::plain})
    for (const bool left : {false, true}) {
      Classifier model = model_of(golden_case(), kernel);
      model->to(torch::kFloat);
      check(golden_case(), model, torch::kFloat, left, {1e-5, 1e-5});
    }
}

INSTANTIATE_TEST_SUITE_P(Every, GoldenClassifier,
                         testing::Values("lra", "translation", "pre_norm", "transformer"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace attnlab
