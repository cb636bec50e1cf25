// The bounded passes of bounded_attention.h on tensors, as Python sees them. fp32 on the CPU, contiguous, no
// gradients; on a GPU the same operators run kernels/cuda/. H query heads, K key-value heads of H / K query
// heads each, d head size.
#pragma once

#include <tuple>

#include "kernels/ops.h"

namespace attnlab {

/// One new token of each of B sequences against the S slots of its cache.
///
/// q: [B, H, d]. k, v: [B, K, S, d]. bias: [B, K, S], added to the scaled logits, −inf where a slot holds no
/// live state; undefined: all do. extent: [B, K], int64, one past the last slot to be looked at; undefined:
/// S. Returns y [B, H, d] and shares [B, K, S], the softmax weights summed over the query heads of each
/// group: the sum over K, divided by H, is TOVA's score, down to the 1e-45 that fp32 can hold. Where a head
/// sees nothing both are 0. Throws c10::Error for other shapes.
std::tuple<Tensor, Tensor> bounded_attention_step(const Tensor& q, const Tensor& k, const Tensor& v,
                                                  const Tensor& bias, const Tensor& extent);

/// Which state goes where there is one too many. Two rules need nothing but the weights of the newest query
/// and the order of arrival, so that an operator can apply them by itself, on any device.
struct BoundedRule {
  int64_t size = 1;           ///< k: states kept after dropping
  int64_t protect_first = 0;  ///< the first so many, at most k, are never dropped
  /// The oldest state goes (a window); else the one with the smallest softmax weight, mean over the deciding
  /// query heads of the newest token, the oldest of equals (TOVA, Oren et al. 2024, §3.2). Weights of less
  /// than e^−153 times the largest of their head are equal.
  bool by_age = false;
};

/// Causal attention over whole texts with a bounded multi-state: every token attends to the states that are
/// live, itself included, and then one goes if there are more than k. Exactly what decoding token by token
/// gives.
///
/// q: [B, T, H, d]. k, v: [B, T, K, d]. apart: each key-value head decides alone. present: bool [B, T], false
/// at padding; undefined: all are tokens. Returns y [B, T, H, d], 0 at padding, and expiry, int64 [B, T], or
/// [B, K, T] where heads decide apart: the last token that saw each token's state, −1 where it was kept to
/// the end, −2 at padding. Throws c10::Error for other shapes.
std::tuple<Tensor, Tensor> bounded_text(const Tensor& q, const Tensor& k, const Tensor& v, BoundedRule rule,
                                        bool apart, const Tensor& present);

/// bounded_text with TOVA's rule, all heads of a layer together.
std::tuple<Tensor, Tensor> tova_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t size);

/// What a decoding step reads and changes, for L lanes: B where all heads of a sequence decide together, B·K
/// where each key-value head decides alone.
struct KeptStates {
  Tensor k, v;    ///< [B, K, size + 1, d], by slot
  Tensor order;   ///< int64 [L, size + 1]: the how-manieth token of its sequence; unused slots: anything
  Tensor counts;  ///< int64 [L, 3], zeros at first: tokens read, states live (in slots 0 … live but the free
                  ///< one), free slot
};

/// One new token of each sequence: it takes the free slot, attends, and frees the slot of the state that
/// goes.
///
/// q: [B, H, d]. k, v: [B, K, d]. present: bool [B], false where a sequence has no token; undefined: all
/// have. Returns y [B, H, d], 0 where there is no token, and dropped, int64 [L]: which token of its sequence
/// went, −1: none. Throws c10::Error for other shapes.
std::tuple<Tensor, Tensor> bounded_decode_step(const Tensor& q, const Tensor& k, const Tensor& v,
                                               const KeptStates& kept, BoundedRule rule,
                                               const Tensor& present);

}  // namespace attnlab
