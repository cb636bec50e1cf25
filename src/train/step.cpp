#include "train/step.h"

#include <cmath>

#include "core/error.h"
#include "core/random.h"
#include "train/autocast.h"
#include "train/gradients.h"

namespace attnlab {
namespace {

[[noreturn]] void diverge(const StepPlace& place, double loss, double norm, const NamedTensors& parameters) {
  throw Diverged(fmt::format("update {}: the loss is {} and the gradient norm {}; {}", place.update, loss,
                             norm, describe_non_finite(parameters)));
}

/// Forward and backward of micro-batch m; weight·∇loss is added to the gradients, or ∇loss where it is the
/// only one of its update.
MicroBatch backward(Trainee& trainee, const TrainOptions& options, torch::Device device, uint64_t seed,
                    int64_t m) {
  if (trainee.draws_by_micro_batch)
    torch::manual_seed(derive_seed(seed, "micro-batch", static_cast<uint64_t>(m)));
  MicroBatch batch;
  {
    const Autocast autocast(options.precision, device);
    batch = trainee.micro_batch(m);
  }
  ensure(batch.weight > 0, "a micro-batch with a weight");
  const bool alone = options.accumulate == 1;
  batch.loss.backward(alone ? torch::Tensor() : torch::full_like(batch.loss, batch.weight));
  batch.loss = batch.loss.detach();
  return batch;
}

torch::Tensor norm_to_clip(const torch::Tensor& norms, Clip clip) {
  if (norms.numel() == 0) return torch::zeros({});
  return clip == Clip::each ? norms.max() : norms.norm(2);
}

}  // namespace

StepResult do_update(Trainee& trainee, const TrainOptions& options, const NamedTensors& parameters,
                     Optimizer& optimizer, torch::Device device, const StepPlace& place) {
  StepResult result;
  forget_gradients(parameters);
  torch::Tensor loss = torch::zeros({}, torch::dtype(torch::kFloat64).device(device));
  double weight = 0;
  for (int64_t i = 0; i < options.accumulate; ++i) {
    const MicroBatch batch = backward(trainee, options, device, place.seed, place.first_micro_batch + i);
    loss += batch.loss.to(loss.options()) * batch.weight;
    weight += batch.weight;
    result.examples += batch.examples;
    result.tokens += batch.tokens;
    result.data_seconds += batch.data_seconds;
  }
  if (options.accumulate > 1) scale_gradients(parameters, 1.0 / weight);
  const torch::Tensor norms = gradient_norms(parameters);
  // The only wait for the device in an update: both numbers together.
  const torch::Tensor numbers =
      torch::stack({loss / weight, norm_to_clip(norms, options.clip).to(loss.options())}).cpu();
  result.loss = numbers[0].item<double>();
  result.gradient_norm = numbers[1].item<double>();
  if (!std::isfinite(result.loss) || !std::isfinite(result.gradient_norm))
    diverge(place, result.loss, result.gradient_norm, parameters);

  if (options.clip_norm > 0 && options.clip == Clip::each)
    clip_each_gradient(parameters, norms, options.clip_norm);
  else if (options.clip_norm > 0)
    clip_gradients(parameters, result.gradient_norm, options.clip_norm);
  optimizer.step(place.learning_rate);
  return result;
}

}  // namespace attnlab
