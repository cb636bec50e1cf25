// Initial weights against the deviations that the recipes name. Every matrix has at least 64 × 64 values, so
// a sample's deviation has a standard error of at most 1.1 % and its mean one of 1.6 % of the deviation; 4 of
// them are allowed.
#include "models/initialise.h"

#include <gtest/gtest.h>

#include <cmath>

#include "attention/luna.h"
#include "models/classifier.h"

namespace attnlab {
namespace {

constexpr int64_t D = 64, F = 96;

torch::OrderedDict<std::string, Tensor> initial(Initialisation how, std::string_view attention = "luna") {
  ClassifierOptions o;
  o.encoder.dim = D;
  o.encoder.ffn_dim = F;
  o.encoder.layers = 1;
  o.encoder.initialisation = how;
  o.encoder.attention = Choice<AttentionOptions>(attention);
  if (auto* luna = dynamic_cast<LunaOptions*>(&*o.encoder.attention)) luna->projection_length = 128;
  o.head_dim = 80;
  torch::manual_seed(1);
  return Classifier(o, 200, 200, 64)->named_parameters();
}

void expect_deviation(const Tensor& x, double expected, const std::string& name) {
  EXPECT_NEAR(x.std().item<double>() / expected, 1.0, 0.045) << name;
  EXPECT_NEAR(x.mean().item<double>() / expected, 0.0, 0.065) << name;
}

/// Uniform in ±√(6 / (in + out))·gain.
void expect_xavier_uniform(const Tensor& w, double gain, const std::string& name) {
  const double bound = gain * std::sqrt(6.0 / static_cast<double>(w.size(0) + w.size(1)));
  EXPECT_LE(w.abs().max().item<double>(), bound) << name;
  EXPECT_GT(w.abs().max().item<double>(), 0.99 * bound) << name;
  expect_deviation(w, bound / std::sqrt(3.0), name);
}

bool is_linear(const std::string& name) {
  return name.find("attention.") != std::string::npos || name.find("ffn_in") != std::string::npos ||
         name.find("ffn_out") != std::string::npos || name.starts_with("hidden") ||
         name.starts_with("classes");
}

bool all_zero(const Tensor& x) { return x.eq(0).all().item<bool>(); }

void expect_common(const torch::OrderedDict<std::string, Tensor>& parameters) {
  expect_deviation(parameters["encoder.state"], std::pow(D, -0.5), "state");
  for (const auto& p : parameters) {
    if (p.key().find("norm.") == std::string::npos) continue;
    const double expected = p.key().ends_with("weight") ? 1 : 0;
    EXPECT_TRUE(p.value().eq(expected).all().item<bool>()) << p.key();
  }
}

TEST(Initialise, LraDrawsEverythingWithDeviationTwoHundredths) {
  const auto parameters = initial(Initialisation::lra);
  expect_common(parameters);
  expect_deviation(parameters["encoder.tokens.weight"].slice(0, 2), 0.02, "tokens");
  expect_deviation(parameters["encoder.positions.weight"].slice(0, 2), 0.02, "positions");
  for (const auto& p : parameters) {
    if (!is_linear(p.key())) continue;
    if (p.key().ends_with("bias"))
      EXPECT_TRUE(all_zero(p.value())) << p.key();
    else
      expect_deviation(p.value(), 0.02, p.key());
  }
}

TEST(Initialise, XavierDrawsUniformWeightsAndNoBiases) {
  const auto parameters = initial(Initialisation::xavier);
  expect_common(parameters);
  expect_deviation(parameters["encoder.tokens.weight"].slice(0, 2), 1.0, "tokens");
  expect_deviation(parameters["encoder.positions.weight"].slice(0, 2), 0.02, "positions");
  for (const auto& p : parameters) {
    if (!is_linear(p.key())) continue;
    if (p.key().ends_with("bias"))
      EXPECT_TRUE(all_zero(p.value())) << p.key();
    else
      expect_xavier_uniform(p.value(), 1.0, p.key());
  }
}

TEST(Initialise, TranslationSetsTheGainsOfAttentionAndLeavesTheRestToTorch) {
  for (const char* attention : {"luna", "softmax"}) {
    const auto parameters = initial(Initialisation::translation, attention);
    expect_deviation(parameters["encoder.tokens.weight"].slice(0, 2), std::pow(D, -0.5), "tokens");
    for (const auto& p : parameters) {
      if (p.key().find("attention.") == std::string::npos) continue;
      const bool output = p.key().find("attention.output") != std::string::npos;
      if (p.key().ends_with("bias"))
        EXPECT_EQ(all_zero(p.value()), output) << p.key();
      else
        expect_xavier_uniform(p.value(), output ? 1.0 : std::sqrt(0.5), p.key());
    }
    // Torch's default for a Linear: uniform in ±1/√in, biases too.
    for (const char* name : {"encoder.layers.0.ffn_in.weight", "encoder.layers.0.ffn_in.bias"}) {
      EXPECT_LE(parameters[name].abs().max().item<double>(), 1 / std::sqrt(D)) << name;
      EXPECT_GT(parameters[name].abs().max().item<double>(), 0.9 / std::sqrt(D)) << name;
    }
  }
  expect_common(initial(Initialisation::translation));
}

}  // namespace
}  // namespace attnlab
