// One update: accumulation, clipping, and numbers that are not finite.
#include "train/step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"
#include "io/checkpoint.h"
#include "io/temporary.h"
#include "train/gradients.h"
#include "train/toy.h"

namespace attnlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct LineImpl : torch::nn::Module {
  LineImpl() {
    torch::manual_seed(5);
    linear = register_module("linear", torch::nn::Linear(torch::nn::LinearOptions(4, 1)));
    to(torch::kFloat64);
  }
  torch::nn::Linear linear{nullptr};
};
TORCH_MODULE(Line);

/// Squared error on 12 fixed points, cut into `parts` micro-batches of equal size.
Trainee line_trainee(Line& line, int64_t parts) {
  torch::manual_seed(6);
  const torch::Tensor x = torch::randn({12, 4}, torch::kFloat64), y = torch::randn({12, 1}, torch::kFloat64);
  Trainee trainee;
  trainee.model = line.ptr();
  trainee.micro_batch = [=](int64_t m) mutable {
    const int64_t rows = 12 / parts, begin = m % parts * rows;
    const torch::Tensor error =
        line->linear(x.slice(0, begin, begin + rows)) - y.slice(0, begin, begin + rows);
    return MicroBatch{error.pow(2).mean(), rows, rows, 0.0};
  };
  return trainee;
}

/// An optimiser that changes nothing, so that the gradients can be looked at.
struct Idle : Optimizer {
  void step(double) override { ++steps; }
  NamedTensors state() const override { return {}; }
  int steps = 0;
};

OneRank alone;

struct Outcome {
  StepResult result;
  torch::Tensor weight, bias;  // gradients
};

Outcome gradients_of(int64_t accumulate, double clip_norm = 0, Clip clip = Clip::total) {
  Line line;
  Trainee trainee = line_trainee(line, accumulate);
  TrainOptions options;
  options.accumulate = accumulate;
  options.clip_norm = clip_norm;
  options.clip = clip;
  Idle optimizer;
  const StepResult result =
      do_update(trainee, options, trainable_parameters(*line), optimizer, torch::kCPU, {1, 0, 0.1}, alone);
  EXPECT_EQ(optimizer.steps, 1);
  return {result, line->linear->weight.grad(), line->linear->bias.grad()};
}

TEST(Step, FourMicroBatchesAreOneBatchOfFourTimesTheSize) {
  const Outcome whole = gradients_of(1), parts = gradients_of(4);
  EXPECT_NEAR(parts.result.loss, whole.result.loss, 1e-14);
  EXPECT_NEAR(parts.result.gradient_norm, whole.result.gradient_norm, 1e-14);
  EXPECT_TRUE(torch::allclose(parts.weight, whole.weight, 0, 1e-14));
  EXPECT_TRUE(torch::allclose(parts.bias, whole.bias, 0, 1e-14));
  EXPECT_EQ(parts.result.examples, 12);
  EXPECT_EQ(parts.result.tokens, 12);
}

/// As line_trainee, the points cut after `cuts`, each micro-batch weighed by how many it holds.
Trainee uneven_trainee(Line& line, std::vector<int64_t> cuts) {
  Trainee whole = line_trainee(line, 12);
  Trainee trainee = whole;
  trainee.micro_batch = [whole, cuts](int64_t m) {
    const auto i = static_cast<std::size_t>(m);
    torch::Tensor sum = torch::zeros({}, torch::kFloat64);
    for (int64_t row = cuts[i]; row < cuts[i + 1]; ++row) sum = sum + whole.micro_batch(row).loss;
    const int64_t rows = cuts[i + 1] - cuts[i];
    return MicroBatch{sum / rows, rows, rows, 0.0, static_cast<double>(rows)};
  };
  return trainee;
}

TEST(Step, UnequalMicroBatchesCountByTheirWeights) {
  const Outcome whole = gradients_of(1);
  for (const std::vector<int64_t>& cuts : {std::vector<int64_t>{0, 12}, {0, 1, 12}, {0, 7, 8, 12}}) {
    Line line;
    Trainee trainee = uneven_trainee(line, cuts);
    TrainOptions options;
    options.accumulate = static_cast<int64_t>(cuts.size()) - 1;
    Idle optimizer;
    const StepResult result =
        do_update(trainee, options, trainable_parameters(*line), optimizer, torch::kCPU, {1, 0, 0.1}, alone);
    EXPECT_NEAR(result.loss, whole.result.loss, 1e-14);
    EXPECT_TRUE(torch::allclose(line->linear->weight.grad(), whole.weight, 0, 1e-14)) << cuts.size();
    EXPECT_TRUE(torch::allclose(line->linear->bias.grad(), whole.bias, 0, 1e-14)) << cuts.size();
  }
}

/// What the generator gives micro-batch m of a run with this seed after `drawn` other numbers.
float first_draw(bool by_micro_batch, uint64_t seed, int64_t m, int64_t drawn) {
  Line line;
  Trainee trainee = line_trainee(line, 1);
  float draw = 0;
  trainee.draws_by_micro_batch = by_micro_batch;
  trainee.micro_batch = [&, sound = trainee.micro_batch](int64_t i) {
    draw = torch::rand({}).item<float>();
    return sound(i);
  };
  torch::manual_seed(9);
  torch::rand({drawn});
  Idle optimizer;
  do_update(trainee, TrainOptions(), trainable_parameters(*line), optimizer, torch::kCPU, {1, m, 0.1, seed},
            alone);
  return draw;
}

TEST(Step, DrawsByMicroBatchDependOnSeedAndMicroBatchAlone) {
  const float draw = first_draw(true, 1, 5, 0);
  EXPECT_EQ(first_draw(true, 1, 5, 3), draw);
  EXPECT_NE(first_draw(true, 1, 6, 0), draw);
  EXPECT_NE(first_draw(true, 2, 5, 0), draw);
  EXPECT_NE(first_draw(false, 1, 5, 3), first_draw(false, 1, 5, 0));
}

TEST(Step, TheGradientNormIsThatOfAllParametersTogether) {
  const Outcome step = gradients_of(1);
  const double expected =
      std::sqrt(step.weight.pow(2).sum().item<double>() + step.bias.pow(2).sum().item<double>());
  EXPECT_NEAR(step.result.gradient_norm, expected, 1e-14);
}

TEST(Step, ClipsAsTorchDoes) {
  const double largest = 0.25;
  const Outcome plain = gradients_of(1), clipped = gradients_of(1, largest);
  ASSERT_GT(plain.result.gradient_norm, largest);
  EXPECT_EQ(clipped.result.gradient_norm, plain.result.gradient_norm) << "reported as it was before clipping";

  torch::Tensor weight = torch::zeros_like(plain.weight), bias = torch::zeros_like(plain.bias);
  weight.mutable_grad() = plain.weight.clone();
  bias.mutable_grad() = plain.bias.clone();
  torch::nn::utils::clip_grad_norm_({weight, bias}, largest);
  EXPECT_TRUE(torch::allclose(clipped.weight, weight.grad(), 0, 1e-15));
  EXPECT_TRUE(torch::allclose(clipped.bias, bias.grad(), 0, 1e-15));
}

TEST(Step, ClipsEachGradientByItself) {
  const Outcome plain = gradients_of(1);
  const double weight_norm = plain.weight.norm().item<double>(), bias_norm = plain.bias.norm().item<double>();
  const double largest = (weight_norm + bias_norm) / 2;  // between the two: one is clipped and one is not
  ASSERT_NE(weight_norm, bias_norm);
  const Outcome clipped = gradients_of(1, largest, Clip::each);
  EXPECT_NEAR(clipped.result.gradient_norm, std::max(weight_norm, bias_norm), 1e-14);
  const auto expected = [&](const torch::Tensor& gradient, double norm) {
    return gradient * std::min(1.0, largest / (norm + 1e-6));
  };
  EXPECT_TRUE(torch::allclose(clipped.weight, expected(plain.weight, weight_norm), 0, 1e-15));
  EXPECT_TRUE(torch::allclose(clipped.bias, expected(plain.bias, bias_norm), 0, 1e-15));
}

TEST(Step, AGradientWithinTheBoundKeepsItsBits) {
  const Outcome plain = gradients_of(1), bounded = gradients_of(1, 1e6);
  EXPECT_TRUE(torch::equal(plain.weight, bounded.weight));
}

/// The sentence with which an update diverges when its loss is multiplied by `factor`, or its gradient alone.
std::string divergence(const torch::Tensor& factor, bool spoil_gradient_alone) {
  Line line;
  Trainee trainee = line_trainee(line, 1);
  const auto sound = trainee.micro_batch;
  trainee.micro_batch = [=](int64_t m) {
    MicroBatch batch = sound(m);
    if (!spoil_gradient_alone) batch.loss = batch.loss * factor;
    return batch;
  };
  if (spoil_gradient_alone)
    line->linear->bias.register_hook([factor](const torch::Tensor& gradient) { return gradient * factor; });
  Idle optimizer;
  const std::string said = sentence_of<Diverged>([&] {
    do_update(trainee, TrainOptions(), trainable_parameters(*line), optimizer, torch::kCPU, {17, 0, 0.1},
              alone);
  });
  EXPECT_EQ(optimizer.steps, 0);
  return said;
}

TEST(Step, ALossThatIsNotFiniteNamesUpdateAndTensor) {
  EXPECT_THAT(divergence(torch::tensor(std::numeric_limits<double>::quiet_NaN()), false),
              AllOf(HasSubstr("update 17: the loss is nan"),
                    HasSubstr("the gradient of 'linear.weight' has 4 nan and 0 infinite of 4 elements"),
                    HasSubstr("those of 1 other parameters")));
}

TEST(Step, AGradientThatIsNotFiniteNamesItsParameter) {
  EXPECT_THAT(divergence(torch::tensor(std::numeric_limits<double>::infinity()), true),
              AllOf(HasSubstr("the gradient norm inf"),
                    HasSubstr("the gradient of 'linear.bias' has 0 nan and 1 infinite of 1 elements")));
}

TEST(Step, AParameterThatIsNotFiniteIsNamedBeforeItsGradients) {
  Line line;
  {
    const torch::NoGradGuard no_grad;
    line->linear->bias.fill_(std::numeric_limits<double>::quiet_NaN());
  }
  Trainee trainee = line_trainee(line, 1);
  Idle optimizer;
  EXPECT_THAT(sentence_of<Diverged>([&] {
                do_update(trainee, TrainOptions(), trainable_parameters(*line), optimizer, torch::kCPU,
                          {2, 0, 0.1}, alone);
              }),
              HasSubstr("parameter 'linear.bias' has 1 nan"));
}

TEST(Step, Bf16MultipliesMatricesInBfloat16AndKeepsParametersInFp32) {
  Trainee trainee = toy_trainee(1, 0.0);
  const auto sound = trainee.micro_batch;
  torch::ScalarType product{};
  trainee.micro_batch = [&](int64_t m) {
    product = torch::mm(torch::ones({2, 2}), torch::ones({2, 2})).scalar_type();
    return sound(m);
  };
  TrainOptions options;
  options.precision = Precision::bf16;
  Idle optimizer;
  const NamedTensors parameters = trainable_parameters(*trainee.model);
  const StepResult result =
      do_update(trainee, options, parameters, optimizer, torch::kCPU, {1, 0, 0.1}, alone);
  EXPECT_EQ(product, torch::kBFloat16);
  EXPECT_EQ(torch::mm(torch::ones({2, 2}), torch::ones({2, 2})).scalar_type(), torch::kFloat32)
      << "off again";
  for (const auto& [name, parameter] : parameters)
    EXPECT_EQ(parameter.grad().scalar_type(), torch::kFloat32) << name;
  EXPECT_GT(result.gradient_norm, 0);
}

}  // namespace
}  // namespace attnlab
