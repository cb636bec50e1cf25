// Rotary positions in one pass over memory, native on the CPU in fp32 (the composed form is in
// cache/rope.cpp).
#pragma once

#include "kernels/ops.h"

namespace attnlab {

/// x [B,T,heads,d]: the pairs (i, i + d/2) of each head turned by the angle whose cosine and sine stand in
/// row positions[b, t] of the tables [rows, d/2]. fp32 on the CPU; positions int64 within the tables. No
/// autograd.
Tensor rotate_pairs(const Tensor& x_BTHd, const Tensor& positions_BT, const Tensor& cosines,
                    const Tensor& sines);

}  // namespace attnlab
