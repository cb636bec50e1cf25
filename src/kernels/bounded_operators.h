// The bounded passes of bounded_attention.h on tensors, as Python sees them. fp32 on the CPU, contiguous, no
// gradients. H query heads, K key-value heads of H / K query heads each, d head size.
#pragma once

#include <tuple>

#include "kernels/ops.h"

namespace attnlab {

/// One new token of each of B sequences against the S slots of its cache.
///
/// q: [B, H, d]. k, v: [B, K, S, d]. bias: [B, K, S], added to the scaled logits, −inf where a slot holds no
/// live state; undefined: all do. extent: [B, K], int64, one past the last slot to be looked at; undefined:
/// S. Returns y [B, H, d] and shares [B, K, S], the softmax weights summed over the query heads of each
/// group: the sum over K, divided by H, is TOVA's score. Where a head sees nothing both are 0. Throws
/// c10::Error for other shapes.
std::tuple<Tensor, Tensor> bounded_attention_step(const Tensor& q, const Tensor& k, const Tensor& v,
                                                  const Tensor& bias, const Tensor& extent);

/// Causal attention over whole texts with TOVA (Oren et al. 2024, all heads of a layer together): every token
/// attends to the states that are live, itself included; when there are more than `size`, the one with the
/// smallest softmax weight, mean over the query heads of the newest token, is dropped, the oldest of equals.
/// Exactly what decoding token by token gives.
///
/// q: [B, T, H, d]. k, v: [B, T, K, d]. Returns y [B, T, H, d] and expiry [B, T], int64: the last token that
/// saw each token's state, −1 where it was kept to the end. Throws c10::Error for other shapes.
std::tuple<Tensor, Tensor> tova_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t size);

}  // namespace attnlab
