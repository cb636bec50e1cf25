// What is asked of all gradients at once.
#pragma once

#include <torch/torch.h>

#include <string>

#include "io/safetensors.h"

namespace attnlab {

/// L2 norm of all gradients together, as a scalar on their device (no synchronisation). Zero where there are
/// none.
torch::Tensor gradient_norm(const NamedTensors& parameters);

/// Scales all gradients so that their norm, which is `norm`, becomes at most `largest` (as torch's
/// clip_grad_norm_).
void clip_gradients(const NamedTensors& parameters, double norm, double largest);

/// Frees all gradients, so that the next backward pass writes instead of adding.
void forget_gradients(const NamedTensors& parameters);

/// Where the numbers went wrong: the first parameter, else the first gradient, that is not finite, with
/// counts. Slow; for the failure only.
std::string describe_non_finite(const NamedTensors& parameters);

}  // namespace attnlab
