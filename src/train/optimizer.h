// Optimisers: what turns gradients into an update.
#pragma once

#include <torch/torch.h>

#include <memory>

#include "io/safetensors.h"
#include "train/options.h"

namespace attnlab {

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// One update from the gradients now held. Parameters without a gradient stay as they are.
  virtual void step(double learning_rate) = 0;
  /// Everything it remembers, by name: live tensors, which a checkpoint saves and restores in place.
  virtual NamedTensors state() const = 0;
};

/// Parameters that ask for a gradient, by dotted name; one that is shared under several names appears once.
NamedTensors trainable_parameters(const torch::nn::Module& model);

/// Adam or AdamW in one pass over each parameter, with Torch's fused operator.
std::unique_ptr<Optimizer> make_adam(const AdamOptions& options, const torch::nn::Module& model);

/// Apollo in two passes over each parameter on the CPU, composed of Torch's operators elsewhere.
std::unique_ptr<Optimizer> make_apollo(const ApolloOptions& options, const torch::nn::Module& model);

}  // namespace attnlab
