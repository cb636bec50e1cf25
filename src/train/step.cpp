#include "train/step.h"

#include <cmath>

#include "core/error.h"
#include "train/autocast.h"
#include "train/gradients.h"

namespace attnlab {
namespace {

[[noreturn]] void diverge(const StepPlace& place, double loss, double norm, const NamedTensors& parameters) {
  throw Diverged(fmt::format("update {}: the loss is {} and the gradient norm {}; {}", place.update, loss,
                             norm, describe_non_finite(parameters)));
}

/// Forward and backward of one micro-batch; its share of the mean loss is added to the gradients.
MicroBatch backward(Trainee& trainee, const TrainOptions& options, torch::Device device, int64_t m) {
  MicroBatch batch;
  {
    const Autocast autocast(options.precision, device);
    batch = trainee.micro_batch(m);
  }
  const torch::Tensor loss = options.accumulate == 1 ? batch.loss : batch.loss / options.accumulate;
  loss.backward();
  batch.loss = batch.loss.detach();
  return batch;
}

}  // namespace

StepResult do_update(Trainee& trainee, const TrainOptions& options, const NamedTensors& parameters,
                     Optimizer& optimizer, torch::Device device, const StepPlace& place) {
  StepResult result;
  forget_gradients(parameters);
  torch::Tensor loss = torch::zeros({}, torch::dtype(torch::kFloat64).device(device));
  for (int64_t i = 0; i < options.accumulate; ++i) {
    const MicroBatch batch = backward(trainee, options, device, place.first_micro_batch + i);
    loss += batch.loss;
    result.examples += batch.examples;
    result.tokens += batch.tokens;
    result.data_seconds += batch.data_seconds;
  }
  // The only wait for the device in an update: both numbers together.
  const torch::Tensor numbers =
      torch::stack({loss / options.accumulate, gradient_norm(parameters).to(loss.options())}).cpu();
  result.loss = numbers[0].item<double>();
  result.gradient_norm = numbers[1].item<double>();
  if (!std::isfinite(result.loss) || !std::isfinite(result.gradient_norm))
    diverge(place, result.loss, result.gradient_norm, parameters);

  if (options.clip_norm > 0) clip_gradients(parameters, result.gradient_norm, options.clip_norm);
  optimizer.step(place.learning_rate);
  return result;
}

}  // namespace attnlab
