#include "train/step.h"

#include <algorithm>
#include <cmath>
#include <vector>

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

/// What a rank's micro-batches come to.
struct Share {
  torch::Tensor loss;  ///< Σ weight·loss, in double on the device
  double weight = 0;
  int64_t examples = 0, tokens = 0;
  double data_seconds = 0;
};

/// Every size-th micro-batch of the update from this rank's own on: its gradients, and sums.
Share do_share(Trainee& trainee, const TrainOptions& options, torch::Device device, const StepPlace& place,
               const Ranks& ranks) {
  Share share{torch::zeros({}, torch::dtype(torch::kFloat64).device(device))};
  for (int64_t i = ranks.rank(); i < options.accumulate; i += ranks.size()) {
    const MicroBatch batch = backward(trainee, options, device, place.seed, place.first_micro_batch + i);
    share.loss += batch.loss.to(share.loss.options()) * batch.weight;
    share.weight += batch.weight;
    share.examples += batch.examples;
    share.tokens += batch.tokens;
    share.data_seconds += batch.data_seconds;
  }
  return share;
}

/// Gives a parameter that has a gradient on any rank one on this rank as well: what a micro-batch reaches may
/// depend on its lengths.
void complete_gradients(Ranks& ranks, const NamedTensors& parameters) {
  std::vector<double> present;
  for (const auto& [name, parameter] : parameters) present.push_back(parameter.grad().defined() ? 1 : 0);
  ranks.largest(present);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    torch::Tensor parameter = parameters[i].second;
    if (present[i] > 0 && !parameter.grad().defined())
      parameter.mutable_grad() = torch::zeros_like(parameter);
  }
}

/// Makes the shares of all ranks, and their gradients, one.
void add_shares(Ranks& ranks, Share& share, const NamedTensors& parameters) {
  torch::Tensor sums = torch::tensor({share.loss.item<double>(), share.weight,
                                      static_cast<double>(share.examples), static_cast<double>(share.tokens)},
                                     torch::kFloat64);
  ranks.sum(sums);
  const double* sum = sums.const_data_ptr<double>();
  share.loss.fill_(sum[0]);
  share.weight = sum[1];
  share.examples = static_cast<int64_t>(sum[2]);
  share.tokens = static_cast<int64_t>(sum[3]);
  complete_gradients(ranks, parameters);
  sum_gradients(ranks, parameters);
}

}  // namespace

StepResult do_update(Trainee& trainee, const TrainOptions& options, const NamedTensors& parameters,
                     Optimizer& optimizer, torch::Device device, const StepPlace& place, Ranks& ranks) {
  forget_gradients(parameters);
  Share share;
  together(ranks, [&] { share = do_share(trainee, options, device, place, ranks); });
  if (ranks.size() > 1) add_shares(ranks, share, parameters);
  if (options.accumulate > 1) scale_gradients(parameters, 1.0 / share.weight);
  const torch::Tensor norms = gradient_norms(parameters);
  // The only wait for the device in an update of one rank: both numbers together.
  const torch::Tensor numbers =
      torch::stack({share.loss / share.weight, norm_to_clip(norms, options.clip).to(share.loss.options())})
          .cpu();
  StepResult result{numbers[0].item<double>(), numbers[1].item<double>(), share.examples, share.tokens,
                    share.data_seconds};
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
