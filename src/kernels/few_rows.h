// Attention between many positions and a few rows, the two halves of Luna once its projections are absorbed
// into the rows: no N×D query, key or value exists, only the rows' D-wide images. Internal to kernels/;
// luna.h uses it.
//
// Shapes: B batch, N positions, D width, R = H·l rows (H heads of l), G the rows' images on the key side.
#pragma once

#include "kernels/ops.h"

namespace attnlab {

struct Packed {
  Tensor z_BRD;     ///< Σ_j A_ij x_j
  Tensor total_BR;  ///< Σ_j A_ij: 1 without dropout; scales the value bias with it
};

/// A = drop(softmax over N of G·Xᵀ), z = A·X. bias: fp32 [B, N], added to every row's scores (−inf at
/// padding), or undefined. Keeps A (B×R×N).
Packed pack_rows(const Tensor& g_BRD, const Tensor& x_BND, const Tensor& bias_BN, Drop drop);

/// Y = drop(softmax over each group of l of X·Cᵀ + c)·E + b. c [B, R] carries −inf at masked rows. Keeps the
/// weights (B×N×R).
Tensor unpack_rows(const Tensor& x_BND, const Tensor& c_BRD, const Tensor& c_BR, const Tensor& e_BRD,
                   const Tensor& b_D, int64_t groups, Drop drop);

}  // namespace attnlab
