// The loss of a projection in slices against goldens (PyTorch's label smoothing and fairseq's formula in
// plain Python, tests/golden/make_projected_cross_entropy.py) and against Torch's operators over all logits.
#include "kernels/projected_cross_entropy.h"

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/relative_error.h"

namespace attnlab {
namespace {

using nlohmann::json;
using Convention = SmoothedTargets::Convention;

struct Operands {
  Tensor hidden, weight, bias, targets;
  Operands as(torch::Dtype type) const {
    const auto leaf = [type](const Tensor& x) { return x.detach().to(type, false, true).requires_grad_(); };
    return {leaf(hidden), leaf(weight), leaf(bias), targets};
  }
  ProjectedLoss loss(const SmoothedTargets& by) const {
    return projected_cross_entropy(hidden, weight, bias, targets, by);
  }
};

/// The formula over all logits at once, with Torch's operators.
ProjectedLoss composed(const Operands& o, const SmoothedTargets& by) {
  const Tensor log_p = (torch::mm(o.hidden, o.weight.t()) + o.bias).log_softmax(-1);
  const Tensor counts = o.targets.ne(by.ignored);
  const Tensor chosen = o.targets.where(counts, 0).unsqueeze(1);
  const Tensor nll = (-log_p.gather(1, chosen).squeeze(1) * counts).sum();
  const Tensor all = (-log_p.sum(1) * counts).sum();
  const auto v = static_cast<double>(o.weight.size(0));
  const bool fairseq = by.convention == Convention::fairseq;
  const double each = by.epsilon / (fairseq ? v - 1 : v);
  return {(1 - by.epsilon - (fairseq ? each : 0)) * nll + each * all, nll.detach()};
}

Operands random_operands(int64_t n, int64_t d, int64_t v) {
  torch::manual_seed(5);
  Operands o{torch::randn({n, d}, torch::kDouble), torch::randn({v, d}, torch::kDouble),
             torch::randn({v}, torch::kDouble), torch::randint(v, {n}, torch::kLong)};
  o.targets.index_put_({torch::arange(0, n, 5)}, -100);
  return o;
}

void expect_equal(const Operands& got, const Operands& want, const SmoothedTargets& by, double tolerance) {
  const ProjectedLoss ours = got.loss(by), theirs = composed(want, by);
  EXPECT_LT(relative_error(ours.smoothed.detach(), theirs.smoothed.detach()), tolerance);
  EXPECT_LT(relative_error(ours.nll, theirs.nll), tolerance);
  (ours.smoothed * 0.3).backward();
  (theirs.smoothed * 0.3).backward();
  EXPECT_LT(relative_error(got.hidden.grad(), want.hidden.grad()), tolerance);
  EXPECT_LT(relative_error(got.weight.grad(), want.weight.grad()), tolerance);
  EXPECT_LT(relative_error(got.bias.grad(), want.bias.grad()), tolerance);
}

constexpr int64_t large = 20011;  // symbols: slices of least_slice_rows

std::vector<SmoothedTargets> conventions() {
  return {{0.1, Convention::fairseq}, {0.1, Convention::uniform}, {0.0, Convention::fairseq}};
}

TEST(ProjectedCrossEntropy, InDoubleIsTorchsOperatorsOverAllLogits) {
  const Operands o = random_operands(600, 4, large);
  for (const SmoothedTargets& by : conventions())
    expect_equal(o.as(torch::kDouble), o.as(torch::kDouble), by, 1e-12);
}

TEST(ProjectedCrossEntropy, NativeCodeIsTheFormulaInDouble) {
  for (const int64_t vocabulary : {int64_t{2}, int64_t{37}, large}) {
    const Operands o = random_operands(600, 24, vocabulary);
    for (const SmoothedTargets& by : conventions())
      expect_equal(o.as(torch::kFloat), o.as(torch::kDouble), by, 2e-6);
  }
}

TEST(ProjectedCrossEntropy, LogitsFarApartLoseNothing) {
  Operands o = random_operands(40, 8, 500);
  o.hidden *= 40;
  expect_equal(o.as(torch::kFloat), o.as(torch::kDouble), {0.1, Convention::uniform}, 2e-6);
}

Tensor golden_tensor(const json& values) {
  if (!values.at(0).is_array()) return torch::tensor(values.get<std::vector<double>>(), torch::kDouble);
  std::vector<Tensor> rows;
  for (const json& row : values) rows.push_back(golden_tensor(row));
  return torch::stack(rows);
}

TEST(ProjectedCrossEntropy, BothConventionsAreTheirOriginators) {
  std::ifstream in(ATTNLAB_SOURCE_DIR "/tests/golden/projected_cross_entropy.json");
  const json golden = json::parse(in);
  const Operands all{golden_tensor(golden.at("hidden")), golden_tensor(golden.at("weight")),
                     golden_tensor(golden.at("bias")),
                     torch::tensor(golden.at("targets").get<std::vector<int64_t>>(), torch::kLong)};
  ASSERT_EQ(golden.at("conventions").size(), 2u);
  for (const auto& [name, want] : golden.at("conventions").items()) {
    SCOPED_TRACE(name);
    const Operands o = all.as(torch::kDouble);
    const ProjectedLoss loss =
        o.loss({golden.at("epsilon"), name == "fairseq" ? Convention::fairseq : Convention::uniform,
                golden.at("ignored")});
    EXPECT_NEAR(loss.smoothed.item<double>(), want.at("smoothed"), 1e-12);
    EXPECT_NEAR(loss.nll.item<double>(), want.at("nll"), 1e-12);
    loss.smoothed.backward();
    const double differences = 1e-9;  // fairseq's gradients are finite differences
    const json& gradients = want.at("gradients");
    EXPECT_TRUE(torch::allclose(o.hidden.grad(), golden_tensor(gradients.at("hidden")), 0, differences));
    EXPECT_TRUE(torch::allclose(o.weight.grad(), golden_tensor(gradients.at("weight")), 0, differences));
    EXPECT_TRUE(torch::allclose(o.bias.grad(), golden_tensor(gradients.at("bias")), 0, differences));
  }
}

TEST(ProjectedCrossEntropy, WithoutGradientTheSumsAreTheSame) {
  const SmoothedTargets by{0.1, Convention::uniform};
  const Operands o = random_operands(600, 8, large).as(torch::kFloat);
  const ProjectedLoss with = o.loss(by);
  const torch::NoGradGuard no_grad;
  const ProjectedLoss without = o.loss(by);
  EXPECT_FALSE(without.smoothed.requires_grad());
  EXPECT_FALSE(with.nll.requires_grad());
  EXPECT_TRUE(torch::equal(with.smoothed, without.smoothed));
  EXPECT_TRUE(torch::equal(with.nll, without.nll));
}

TEST(ProjectedCrossEntropy, OnlyWhatAsksForAGradientGetsOne) {
  const Operands o = random_operands(20, 4, 30).as(torch::kFloat);
  const ProjectedLoss loss =
      projected_cross_entropy(o.hidden, o.weight.detach(), {}, o.targets, {0.1, Convention::fairseq});
  loss.smoothed.backward();
  EXPECT_TRUE(o.hidden.grad().defined());
  EXPECT_FALSE(o.weight.grad().defined());
  EXPECT_TRUE(torch::equal(o.hidden.grad()[0], torch::zeros({4})));  // an ignored row
  EXPECT_FALSE(torch::equal(o.hidden.grad()[1], torch::zeros({4})));
}

TEST(ProjectedCrossEntropy, NothingThatCountsIsZero) {
  Operands o = random_operands(3, 4, 30).as(torch::kFloat);
  o.targets.fill_(-100);
  const ProjectedLoss loss = o.loss({0.1, Convention::fairseq});
  loss.smoothed.backward();
  EXPECT_EQ(loss.smoothed.item<double>(), 0);
  EXPECT_EQ(loss.nll.item<double>(), 0);
  EXPECT_TRUE(torch::equal(o.weight.grad(), torch::zeros({30, 4})));
}

TEST(ProjectedCrossEntropy, ASecondBackwardIsRefused) {
  const Operands o = random_operands(20, 4, 30).as(torch::kFloat);
  const ProjectedLoss loss = o.loss({0.1, Convention::fairseq});
  loss.smoothed.backward({}, /*retain_graph=*/true);
  EXPECT_THROW(loss.smoothed.backward(), c10::Error);
}

TEST(ProjectedCrossEntropy, ATargetThatIsNoSymbolIsRefused) {
  Operands o = random_operands(20, 4, 30);
  o.targets[3] = 30;
  EXPECT_THROW(o.loss({0.1, Convention::fairseq}), c10::Error);
}

TEST(ProjectedCrossEntropy, UnderAutocastProductsAreInItsType) {
  const Operands o = random_operands(200, 32, 400);
  const Operands single = o.as(torch::kFloat), twice = o.as(torch::kDouble);
  const SmoothedTargets by{0.1, Convention::fairseq};
  at::autocast::set_autocast_enabled(torch::kCPU, true);
  at::autocast::set_autocast_dtype(torch::kCPU, torch::kBFloat16);
  const ProjectedLoss loss = single.loss(by);
  at::autocast::set_autocast_enabled(torch::kCPU, false);
  at::autocast::clear_cache();
  loss.smoothed.backward();
  composed(twice, by).smoothed.backward();
  const double error = relative_error(single.weight.grad(), twice.weight.grad());
  EXPECT_LT(error, 2e-2);
  EXPECT_GT(error, 1e-4);  // fp32 would do better
}

}  // namespace
}  // namespace attnlab
