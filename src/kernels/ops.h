// The operators that models are built from. On the CPU in fp32 each runs native code with a hand-written
// backward; elsewhere (CUDA, double) the same formula is composed of Torch's operators. All of them take
// their dropout masks from one generator, so that every model compared here pays the same for its random
// numbers.
//
// Shapes: B batch, N queries, M context positions, D model width, F feed-forward width, H heads.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace attnlab {

using torch::Tensor;

enum class Activation { relu, gelu };  // gelu is the exact (erf) form

/// Dropout as an operator sees it: a probability and the seed of its mask. Probability 0 means no dropout.
struct Drop {
  double probability = 0.0;
  int64_t seed = 0;
  /// In training with p > 0, a fresh seed from Torch's default CPU generator (so torch::manual_seed and the
  /// generator's saved state replay it); otherwise no dropout, and nothing is drawn.
  static Drop draw(double probability, bool training);
  bool active() const { return probability > 0; }
};

/// Inverted dropout: x / (1 − p) where kept. On the CPU the mask is a function of (seed, element index) alone
/// and is never stored: Philox4x32-10 (Salmon et al. 2011), 16 bits an element, so p is rounded to a multiple
/// of 2^-16 and the scale is that of the rounded p. On CUDA it is Torch's own dropout.
Tensor dropout(const Tensor& x, Drop drop);

/// The mask that `dropout` multiplies by, for `like`'s shape: 0 or 1 / (1 − p).
Tensor dropout_mask(const Tensor& like, Drop drop);

/// LayerNorm(residual + dropout(x)) over the last dimension; with an undefined `residual`,
/// LayerNorm(dropout(x)). The backward starts from the output, so nothing but the output and one number a row
/// is kept.
Tensor add_norm(const Tensor& residual, const Tensor& x, Drop drop, const Tensor& weight, const Tensor& bias,
                double eps);

/// W2·drop(act(W1·x + b1)) + b2, in slices of rows. Keeps W1·x (rows × F) for the backward, or nothing of
/// that size when `recompute`. Weights are [out, in].
Tensor feed_forward(const Tensor& x, const Tensor& w1, const Tensor& b1, const Tensor& w2, const Tensor& b2,
                    Activation activation, Drop drop, bool recompute);

/// Multi-head softmax attention composed of Torch's operators, holding the B×H×N×M weights: the textbook
/// form. q [B,N,D], k and v [B,M,D]; padding: bool [B,M], true where the context is padding, or undefined.
/// `torch_dropout` takes the weights' dropout from Torch's own operator, for comparison.
Tensor textbook_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads,
                          const Tensor& padding, Drop drop, bool torch_dropout = false);

/// Multi-head softmax attention of projected q [B,N,D] over few rows k, v [B,M,D], holding its B×H×N×M
/// weights: softmax and dropout in one pass over them. bias: [B, M], added to every query's scores, or
/// undefined. causal: query i reads the rows up to i alone; N and M are equal.
Tensor weighted_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads,
                          const Tensor& bias, Drop drop, bool causal = false);

}  // namespace attnlab
