// Estimates beside what is measured.
#include "tasks/speed/step_estimate.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "attention/luna.h"
#include "attention/softmax.h"
#include "core/memory.h"
#include "tasks/classification/classify.h"
#include "tasks/speed/speed.h"
#include "tasks/speed/step_memory.h"

namespace attnlab {
namespace {

/// The LRA text model, of fewer layers to be quick.
StepSetting lra(const std::string& attention, int64_t n, double dropout) {
  StepSetting s;
  EncoderOptions& e = s.model.encoder;
  e.layers = 2;
  e.dropout = e.attention_dropout = dropout;
  e.attention.select(attention == "textbook" || attention == "fused" ? "softmax" : attention);
  if (auto* softmax = dynamic_cast<SoftmaxOptions*>(&*e.attention))
    softmax->implementation = attention == "textbook" ? SoftmaxOptions::Implementation::eager
                                                      : SoftmaxOptions::Implementation::sdpa;
  s.length = n;
  return s;
}

struct Measured {
  double train = 0, infer = 0;
};

/// On two threads, on which the estimates were fitted: with one, Torch's products of matrices hold fewer
/// buffers, and an estimate is up to a third too high.
Measured peaks(const StepSetting& setting) {
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  install_counting_allocator();
  ModelStep step(setting);
  const MemoryMeter training(setting.device);
  step.run(Pass::train);
  const double train = static_cast<double>(training.peaks().allocator);
  const MemoryMeter inference(setting.device);
  step.run(Pass::infer);
  at::set_num_threads(threads);
  return {train, static_cast<double>(inference.peaks().allocator)};
}

class TextbookEstimate : public testing::TestWithParam<std::tuple<int64_t, double>> {};

TEST_P(TextbookEstimate, OfMemoryIsWithinAThirdOfWhatIsMeasured) {
  const auto [n, dropout] = GetParam();
  const StepSetting setting = lra("textbook", n, dropout);
  const StepEstimate estimate = estimate_step(setting);
  const Measured measured = peaks(setting);
  EXPECT_NEAR(estimate.train_bytes / measured.train, 1.0, 0.3);
  EXPECT_NEAR(estimate.infer_bytes / measured.infer, 1.0, 0.3);
}

INSTANTIATE_TEST_SUITE_P(, TextbookEstimate,
                         testing::Combine(testing::Values(1024, 2048), testing::Values(0.0, 0.3)),
                         [](const auto& info) {
                           return fmt::format("n{}_{}_dropout", std::get<0>(info.param),
                                              std::get<1>(info.param) > 0 ? "with" : "without");
                         });

TEST(StepEstimate, OfTheSynthesizersMemoryIsWithinAThirdToo) {
  const StepSetting setting = lra("synthesizer", 1024, 0.3);
  EXPECT_NEAR(estimate_step(setting).train_bytes / peaks(setting).train, 1.0, 0.3);
}

TEST(StepEstimate, KnowsWhatTorchsOwnDropoutKeeps) {
  for (const char* how : {"fused", "torch_dropout"}) {
    StepSetting setting = lra(how == std::string("fused") ? "fused" : "textbook", 1024, 0.3);
    dynamic_cast<SoftmaxOptions&>(*setting.model.encoder.attention).torch_dropout = true;
    EXPECT_NEAR(estimate_step(setting).train_bytes / peaks(setting).train, 1.0, 0.3) << how;
  }
}

TEST(StepEstimate, IsOfTheRightSizeForModelsOfLinearMemory) {
  for (const char* attention : {"fused", "luna", "linformer", "linear", "local", "performer"}) {
    StepSetting setting = lra(attention, 2048, 0.0);
    const double ratio = estimate_step(setting).train_bytes / peaks(setting).train;
    EXPECT_GT(ratio, 0.8) << attention;
    EXPECT_LT(ratio, 2.0) << attention;
  }
}

TEST(StepEstimate, OfOperationsIsTheModelsOwnCount) {
  StepSetting setting = lra("luna", 512, 0.0);
  setting.batch = 3;
  const StepEstimate estimate = estimate_step(setting);
  const ModelStep step(setting);
  EXPECT_NEAR(estimate.train_flops / step.flops(Pass::train), 1.0, 1e-5)
      << "but for the head's last, tiny map";
  EXPECT_NEAR(estimate.parameters / static_cast<double>(step.parameters()), 1.0, 0.01);
}

TEST(StepEstimate, GrowsWithTheBatch) {
  StepSetting setting = lra("textbook", 1024, 0.3);
  const double one = estimate_step(setting).train_bytes;
  setting.batch = 32;
  EXPECT_DOUBLE_EQ(estimate_step(setting).train_bytes, 32 * one);
}

TEST(StepEstimate, SaysNothingOfOptionsThatContradictEachOther) {
  StepSetting setting = lra("textbook", 1024, 0.0);
  setting.model.encoder.heads = 3;
  const StepEstimate estimate = estimate_step(setting);
  EXPECT_EQ(estimate.train_flops, 0);
  EXPECT_EQ(process_bytes(estimate, estimate.train_bytes, torch::kCPU), 0);
}

/// The published recipe with the textbook Transformer: 32 texts of 4,002 tokens, 4 heads, 4 layers.
TEST(Needs, OfTheTextbookTransformersRecipeAreBeyondAWorkstation) {
  ClassifyOptions options;
  options.data.select("listops");
  options.encoding.max_length = 4002;
  options.batching.batch_size = 32;
  options.model = lra("textbook", 0, 0.3).model;
  options.model.encoder.layers = 4;
  const double weights = 4.0 * 32 * 4 * 4002 * 4002;
  EXPECT_GT(static_cast<double>(options.memory(torch::kCPU)), 4 * 2 * weights) << "what four layers keep";
  options.batching.batch_size = 1;
  options.evaluation.batch_size = 1;
  EXPECT_LT(options.memory(torch::kCPU), int64_t{8} << 30);
}

TEST(Needs, GrowWithUpdatesAndLength) {
  ClassifyOptions options;
  options.model = lra("luna", 0, 0.3).model;
  options.encoding.max_length = 1000;
  options.train.updates = 10;
  const double ten = options.work();
  options.train.updates = 30;
  EXPECT_DOUBLE_EQ(options.work(), 3 * ten);
  options.encoding.max_length = 2000;
  EXPECT_GT(options.work(), 5 * ten);
}

TEST(Needs, OfASpeedCellAreThoseOfItsPhases) {
  SpeedOptions options;
  options.model = lra("textbook", 0, 0.3).model;
  options.length = 2048;
  const int64_t both = options.memory(torch::kCPU);
  const double work = options.work();
  options.phases = {"infer"};
  EXPECT_LT(options.memory(torch::kCPU), both);
  EXPECT_DOUBLE_EQ(options.work() * 4, work) << "a training step is three forwards";
}

}  // namespace
}  // namespace attnlab
