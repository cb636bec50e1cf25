// What every attention does with its shape.
#pragma once

#include "attention/attention.h"
#include "core/error.h"
#include "kernels/attention_weights.h"
#include "kernels/decoder_ops.h"
#include "kernels/linear.h"

namespace attnlab {

/// Throws UserError unless the heads divide the width.
inline void check_heads(const AttentionShape& shape) {
  if (shape.dim < 1 || shape.heads < 1 || shape.dim % shape.heads != 0)
    user_error("{} heads do not divide a model width of {}", shape.heads, shape.dim);
}

/// [B, N, D] to a view [B, H, N, D/H].
inline Tensor split_heads(const Tensor& x_BND, int64_t heads) {
  return x_BND.unflatten(-1, {heads, x_BND.size(-1) / heads}).transpose(1, 2);
}

/// [B, H, N, D/H] to [B, N, D].
inline Tensor merge_heads(const Tensor& x_BHNd) { return x_BHNd.transpose(1, 2).flatten(2); }

/// linear(x) for the few rows of a step of decoding, which is read from the weights more than computed;
/// without a gradient.
inline Tensor step_linear(const Linear& linear, const Tensor& x) {
  return thin_linear(x, linear->weight).add_(linear->bias);
}

/// What is added to the scores: bool [B, M], true where a key must not be read, to [B, M] of 0 and
/// hidden_score. Undefined where there is no padding.
inline Tensor padding_bias(const Tensor& padding_BM, const Tensor& like) {
  if (!padding_BM.defined()) return {};
  return torch::zeros(padding_BM.sizes(), like.options().requires_grad(false))
      .masked_fill_(padding_BM, hidden_score(like.scalar_type()));
}

/// Floating-point operations of an [n, inner] × [inner, m] matrix product, multiply and add counted apart.
inline double product_flops(int64_t n, int64_t inner, int64_t m) {
  return 2.0 * static_cast<double>(n) * static_cast<double>(inner) * static_cast<double>(m);
}

/// Bytes of the fp32 weights of all heads, n queries over m positions, at batch 1.
inline double weight_bytes(int64_t heads, int64_t n, int64_t m) {
  return 4.0 * static_cast<double>(heads) * static_cast<double>(n) * static_cast<double>(m);
}

}  // namespace attnlab
