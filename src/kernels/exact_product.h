// Products of matrices whose results are summed on over a whole text.
#pragma once

#include "kernels/ops.h"

namespace attnlab {

/// x·y of one batch of matrices each, in their own type whatever the caller has asked of products elsewhere:
/// under autocast not in its narrower type, on CUDA not in TF32, whose 11 bits would be lost to a chain of
/// sums. So are the gradients, of any order, wherever backward is called.
Tensor exact_product(const Tensor& x, const Tensor& y);

}  // namespace attnlab
