// Apollo against an independent implementation in numpy (tests/golden/make_apollo.py) and against its own two
// forms.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "train/optimizer.h"

namespace attnlab {
namespace {

using nlohmann::json;

json apollo_golden() {
  std::ifstream in(ATTNLAB_SOURCE_DIR "/tests/golden/apollo.json");
  return json::parse(in);
}

torch::Tensor tensor_of(const json& values) {
  return torch::tensor(values.get<std::vector<double>>(), torch::kFloat64);
}

struct Single : torch::nn::Module {
  explicit Single(const torch::Tensor& start) { value = register_parameter("value", start.clone()); }
  torch::Tensor value;
};

ApolloOptions options_of(const json& golden) {
  ApolloOptions options;
  options.beta = golden.at("beta");
  options.eps = golden.at("eps");
  options.rebound = golden.at("rebound");
  options.weight_decay = golden.at("weight_decay");
  return options;
}

torch::Tensor state_named(const Optimizer& optimizer, const std::string& name) {
  for (const auto& [found, tensor] : optimizer.state())
    if (found == name) return tensor;
  return {};
}

/// Follows the golden steps in this type.
void follow(const json& entry, const ApolloOptions& options, torch::Dtype dtype, double tolerance) {
  Single model(tensor_of(entry.at("start")).to(dtype));
  const std::unique_ptr<Optimizer> optimizer = options.make(model);
  for (const json& step : entry.at("steps")) {
    model.value.mutable_grad() = tensor_of(step.at("gradient")).to(dtype);
    optimizer->step(step.at("rate"));
    EXPECT_TRUE(
        torch::allclose(model.value.to(torch::kFloat64), tensor_of(step.at("after")), tolerance, tolerance));
    EXPECT_TRUE(torch::allclose(state_named(*optimizer, "value.hessian").to(torch::kFloat64),
                                tensor_of(step.at("hessian")), tolerance, tolerance));
  }
  EXPECT_EQ(state_named(*optimizer, "value.steps").item<int64_t>(),
            static_cast<int64_t>(entry.at("steps").size()));
}

TEST(Apollo, FollowsTheAuthorsStepsInNumpy) {
  const json golden = apollo_golden();
  ASSERT_EQ(golden.at("parameters").size(), 2u);
  for (const auto& [name, entry] : golden.at("parameters").items()) {
    SCOPED_TRACE(name);
    follow(entry, options_of(golden), torch::kFloat64, 1e-12);
    follow(entry, options_of(golden), torch::kFloat32, 2e-5);
  }
}

/// Over several blocks; a transposed parameter takes the composed form.
TEST(Apollo, PassesOverMemoryAreTheComposedOperators) {
  torch::manual_seed(4);
  const torch::Tensor start = torch::randn({300, 257}, torch::kFloat64);
  Single plain(start);
  Single transposed(start);
  {
    const torch::NoGradGuard no_grad;
    transposed.value.set_data(start.t().contiguous().t());
  }
  ASSERT_FALSE(transposed.value.is_contiguous());
  ApolloOptions options;
  options.weight_decay = 0.1;
  const auto first = options.make(plain), second = options.make(transposed);
  for (int t = 1; t <= 10; ++t) {
    const torch::Tensor gradient = 0.5 * plain.value.detach() + 0.1 * torch::randn_like(start);
    plain.value.mutable_grad() = gradient;
    transposed.value.mutable_grad() = gradient.clone();
    first->step(0.01);
    second->step(0.01);
  }
  EXPECT_TRUE(torch::allclose(plain.value, transposed.value, 0, 1e-11));
  EXPECT_FALSE(torch::allclose(plain.value, start, 0, 1e-3));
}

TEST(Apollo, TheNumberOfThreadsChangesNoBit) {
  const int threads = torch::get_num_threads();
  const auto after = [](int with) {
    torch::set_num_threads(with);
    torch::manual_seed(4);
    Single model(torch::randn({100000}));
    const auto optimizer = ApolloOptions().make(model);
    for (int t = 0; t < 3; ++t) {
      model.value.mutable_grad() = torch::randn({100000});
      optimizer->step(0.01);
    }
    return model.value.detach().clone();
  };
  EXPECT_TRUE(torch::equal(after(1), after(2)));
  torch::set_num_threads(threads);
}

}  // namespace
}  // namespace attnlab
