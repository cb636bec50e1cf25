// Softmax attention by Torch's scaled_dot_product_attention: the Transformer's and both halves of Luna.
#pragma once

#include <optional>

#include "attention/shape.h"
#include "kernels/sdpa.h"

namespace attnlab {

/// drop(softmax(q·kᵀ/√d))·v of queries [B,H,N,d], keys and values [B,H,M,d] and a padding_bias, to [B,N,D].
inline Tensor fused_attention(const Tensor& q_BHNd, const Tensor& k_BHMd, const Tensor& v_BHMd,
                              const Tensor& bias_BM, double dropout) {
  std::optional<Tensor> bias_B11M;
  if (bias_BM.defined()) bias_B11M = bias_BM.unsqueeze(1).unsqueeze(1);
  return merge_heads(sdpa(q_BHNd, k_BHMd, v_BHMd, {.mask = bias_B11M, .dropout = dropout}));
}

/// The same of [B,N,D] and [B,M,D]; padding: bool [B,M], true where a key must not be read, or undefined.
inline Tensor fused_attention(const Tensor& q_BND, const Tensor& k_BMD, const Tensor& v_BMD, int64_t heads,
                              const Tensor& padding_BM, double dropout) {
  return fused_attention(split_heads(q_BND, heads), split_heads(k_BMD, heads), split_heads(v_BMD, heads),
                         padding_bias(padding_BM, q_BND), dropout);
}

}  // namespace attnlab
