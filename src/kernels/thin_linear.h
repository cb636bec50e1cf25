// A linear layer of a few rows, as in decoding, where reading the weights is the work. Libraries pack the
// weights for large products first, which at these sizes costs as much as the product.
#pragma once

#include <torch/torch.h>

namespace attnlab {

/// x·wᵀ [..., N] for x [..., K] and w [N, K]. Where x has at most 32 rows, both are fp32 on the CPU and no
/// gradient is wanted, the native product of simd/thin.inc; elsewhere Torch's.
torch::Tensor thin_linear(const torch::Tensor& x, const torch::Tensor& w);

}  // namespace attnlab
