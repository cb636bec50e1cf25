// How far a result is from a reference in double precision.
#pragma once

#include <torch/torch.h>

namespace attnlab {

inline double relative_error(const torch::Tensor& got, const torch::Tensor& want) {
  return ((got.to(torch::kDouble) - want).norm() / (want.norm() + 1e-12)).item<double>();
}

}  // namespace attnlab
