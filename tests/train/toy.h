// A classifier that trains in a moment and still has everything that a resumed run can get wrong: dropout
// drawn from Torch's generator, buffers, an optimiser with memory, and a validation.
#pragma once

#include <torch/torch.h>

#include "core/random.h"
#include "train/train.h"

namespace attnlab {

constexpr int64_t toy_features = 6;
constexpr int64_t toy_batch = 8;

struct ToyImpl : torch::nn::Module {
  explicit ToyImpl(double dropout_probability) : dropout(dropout_probability) {
    hidden = register_module("hidden", torch::nn::Linear(toy_features, 16));
    norm = register_module("norm", torch::nn::BatchNorm1d(16));
    out = register_module("out", torch::nn::Linear(16, 2));
  }
  torch::Tensor forward(const torch::Tensor& x) {
    return out(torch::dropout(torch::relu(norm(hidden(x))), dropout, is_training()));
  }
  double dropout;
  torch::nn::Linear hidden{nullptr}, out{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
};
TORCH_MODULE(Toy);

/// Points and whether their first two features have the same sign; `index` chooses which points.
inline std::pair<torch::Tensor, torch::Tensor> toy_points(std::string_view purpose, int64_t index,
                                                          int64_t rows) {
  Random random(derive_seed(7, purpose, static_cast<uint64_t>(index)));
  torch::Tensor x = torch::empty({rows, toy_features});
  for (float* v = x.mutable_data_ptr<float>(); v != x.mutable_data_ptr<float>() + x.numel(); ++v)
    *v = static_cast<float>(2.0 * random.uniform() - 1.0);
  const torch::Tensor y = (x.select(1, 0) * x.select(1, 1) > 0).to(torch::kInt64);
  return {x, y};
}

/// The trainee of a toy model whose initial weights depend on `seed` alone.
inline Trainee toy_trainee(uint64_t seed, double dropout = 0.25) {
  torch::manual_seed(seed);
  Toy model(dropout);
  Trainee trainee;
  trainee.model = model.ptr();
  trainee.micro_batches_per_epoch = 10;
  trainee.micro_batch = [model](int64_t m) mutable {
    const auto [x, y] = toy_points("train", m % 10, toy_batch);
    return MicroBatch{torch::nn::functional::cross_entropy(model(x), y), toy_batch, toy_batch * toy_features,
                      0.0};
  };
  trainee.validate = [model]() mutable {
    const auto [x, y] = toy_points("validation", 0, 64);
    const torch::Tensor logits = model(x);
    Validation found;
    found.value = (logits.argmax(1) == y).to(torch::kFloat64).mean().item<double>();
    found.loss = torch::nn::functional::cross_entropy(logits, y).item<double>();
    found.n = 64;
    return found;
  };
  return trainee;
}

/// Options of a run of 60 updates with everything at odd intervals.
inline TrainOptions toy_options() {
  TrainOptions options;
  options.updates = 60;
  options.learning_rate = 0.01;
  options.schedule = Choice<ScheduleOptions>("cosine");
  options.clip_norm = 1.0;
  options.accumulate = 2;
  options.validate_interval = 9;
  options.log_interval = 7;
  options.checkpoint_interval = 4;
  options.checkpoint_seconds = 0;
  return options;
}

}  // namespace attnlab
