// Causal Luna in fp32 on the CPU: the scans of simd/luna.inc over heads and, where these are fewer than
// threads, over stretches of their tokens. Internal to kernels/.
#pragma once

#include "kernels/causal_luna.h"

namespace attnlab {

/// As `causal_luna`, all fp32; parts [B or 1, N], 1/t; bias [B, L], 0 or −inf, or undefined. With gradients.
Tensor native_causal_luna(const Tensor& q_BHNd, const Tensor& k_BHNd, const Tensor& v_BHNd,
                          const Tensor& a_BHNL, const Tensor& parts_BN, const Tensor& bias_BL, Drop drop);

/// As `causal_luna_append` without padding and rows: sums [R, H, L, 2, d], contiguous, are read and written.
Tensor native_causal_luna_append(Tensor& sums_RHL2d, const Tensor& q_RHNd, const Tensor& k_RHNd,
                                 const Tensor& v_RHNd, const Tensor& a_RHNL, const Tensor& parts_RN,
                                 const Tensor& bias_RL);

/// As `causal_luna_step`.
Tensor native_causal_luna_step(CausalLunaSums& sums, const Tensor& q_RHd, const Tensor& k_RHd,
                               const Tensor& v_RHd, const Tensor& a_RHL, const Tensor& bias_RL);

}  // namespace attnlab
