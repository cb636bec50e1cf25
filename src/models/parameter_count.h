// The size of a model.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace attnlab {

/// Trained numbers; a table that several parts share is registered once and counts once.
inline int64_t parameter_count(const torch::nn::Module& module) {
  int64_t sum = 0;
  for (const torch::Tensor& p : module.parameters()) sum += p.numel();
  return sum;
}

}  // namespace attnlab
