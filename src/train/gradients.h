// What is asked of all gradients at once.
#pragma once

#include <torch/torch.h>

#include <string>

#include "io/safetensors.h"

namespace attnlab {

/// L2 norm of each gradient that there is, as one vector on their device (no synchronisation).
torch::Tensor gradient_norms(const NamedTensors& parameters);

void scale_gradients(const NamedTensors& parameters, double factor);

/// Scales all gradients so that their norm, which is `norm`, becomes at most `largest` (as torch's
/// clip_grad_norm_).
void clip_gradients(const NamedTensors& parameters, double norm, double largest);

/// Scales every gradient on its own so that its norm, of `norms`, becomes at most `largest` (as Apollo's
/// authors do, "clip_mode each").
void clip_each_gradient(const NamedTensors& parameters, const torch::Tensor& norms, double largest);

/// Frees all gradients, so that the next backward pass writes instead of adding.
void forget_gradients(const NamedTensors& parameters);

/// Where the numbers went wrong: the first parameter, else the first gradient, that is not finite, with
/// counts. Slow; for the failure only.
std::string describe_non_finite(const NamedTensors& parameters);

}  // namespace attnlab
