// Adam and AdamW against the papers' formulas, written out element by element in double.
#include "train/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

namespace attnlab {
namespace {

struct Two : torch::nn::Module {
  Two() {
    torch::manual_seed(3);
    matrix = register_parameter("matrix", torch::randn({5, 7}, torch::kFloat64));
    vector = register_parameter("vector", torch::randn({5}, torch::kFloat64));
    unused = register_parameter("unused", torch::ones({2}, torch::kFloat64));
  }
  torch::Tensor matrix, vector, unused;
};

/// Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2, whose η_t·λ is rate·weight_decay.
struct Reference {
  std::vector<double> x, mean, mean_square;
  explicit Reference(const torch::Tensor& t)
      : x(t.const_data_ptr<double>(), t.const_data_ptr<double>() + t.numel()),
        mean(x.size()),
        mean_square(x.size()) {}

  void step(const torch::Tensor& gradient, int t, double rate, const AdamOptions& o, double weight_decay) {
    const double* g0 = gradient.const_data_ptr<double>();
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double g = g0[i] + (o.decoupled() ? 0.0 : weight_decay * x[i]);
      if (o.decoupled()) x[i] -= rate * weight_decay * x[i];
      mean[i] = o.beta1 * mean[i] + (1 - o.beta1) * g;
      mean_square[i] = o.beta2 * mean_square[i] + (1 - o.beta2) * g * g;
      const double m = mean[i] / (1 - std::pow(o.beta1, t)), v = mean_square[i] / (1 - std::pow(o.beta2, t));
      x[i] -= rate * m / (std::sqrt(v) + o.eps);
    }
  }
};

void expect_near(const torch::Tensor& found, const Reference& expected, const char* what) {
  for (std::size_t i = 0; i < expected.x.size(); ++i)
    ASSERT_NEAR(found.const_data_ptr<double>()[i], expected.x[i], 1e-12) << what << " at element " << i;
}

struct Case {
  const char* name;
  bool decoupled;
  double weight_decay;
  bool decay_vectors;
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

class AdamTest : public testing::TestWithParam<Case> {};

TEST_P(AdamTest, FollowsThePaperForTwentyUpdates) {
  std::unique_ptr<AdamOptions> options =
      GetParam().decoupled ? std::make_unique<AdamWOptions>() : std::make_unique<AdamOptions>();
  options->beta2 = 0.98;
  options->weight_decay = GetParam().weight_decay;
  options->decay_vectors = GetParam().decay_vectors;
  const double vector_decay = GetParam().decay_vectors ? GetParam().weight_decay : 0.0;

  Two model;
  const std::unique_ptr<Optimizer> optimizer = options->make(model);
  Reference matrix(model.matrix), vector(model.vector);
  for (int t = 1; t <= 20; ++t) {
    model.matrix.mutable_grad() = torch::randn_like(model.matrix);
    model.vector.mutable_grad() = torch::randn_like(model.vector);
    const double rate = 0.1 / t;  // a schedule moves it at every update
    matrix.step(model.matrix.grad(), t, rate, *options, GetParam().weight_decay);
    vector.step(model.vector.grad(), t, rate, *options, vector_decay);
    optimizer->step(rate);
  }
  expect_near(model.matrix, matrix, "matrix");
  expect_near(model.vector, vector, "vector");
  EXPECT_TRUE(torch::equal(model.unused, torch::ones({2}, torch::kFloat64))) << "it had no gradient";
}

INSTANTIATE_TEST_SUITE_P(Optimizer, AdamTest,
                         testing::Values(Case{"Adam", false, 0.0, true}, Case{"AdamL2", false, 0.3, true},
                                         Case{"AdamW", true, 0.3, true},
                                         Case{"AdamWOnMatricesAlone", true, 0.3, false}),
                         [](const auto& info) { return info.param.name; });

TEST(Optimizer, DefaultsOfAdamWDecayAndThoseOfAdamDoNot) {
  EXPECT_EQ(AdamWOptions().weight_decay, 0.01);  // as torch.optim.AdamW
  EXPECT_EQ(AdamOptions().weight_decay, 0.0);
}

TEST(Optimizer, ItsStateHasATensorForEachOfItsMemories) {
  const Two model;
  std::vector<std::string> names;
  for (const auto& [name, tensor] : AdamWOptions().make(model)->state()) names.push_back(name);
  const std::vector<std::string> expected{"matrix.mean", "matrix.mean_square", "matrix.steps",
                                          "vector.mean", "vector.mean_square", "vector.steps",
                                          "unused.mean", "unused.mean_square", "unused.steps"};
  EXPECT_EQ(names, expected);
}

TEST(Optimizer, FrozenParametersAndSecondNamesAreLeftOut) {
  struct Tied : torch::nn::Module {
    Tied() {
      const torch::Tensor shared = torch::ones({2});
      register_parameter("embedding", shared);
      register_parameter("output", shared);
      register_parameter("frozen", torch::ones({2}), /*requires_grad=*/false);
    }
  };
  const NamedTensors parameters = trainable_parameters(Tied());
  ASSERT_EQ(parameters.size(), 1u);
  EXPECT_EQ(parameters[0].first, "embedding");
}

}  // namespace
}  // namespace attnlab
