// The gradient of attention over states of which some are dropped on the way, the decisions held fixed.
//
// A policy that only forgets leaves of all its decisions one number a token: the last token that sees it. A
// pass without gradients finds those numbers and the outputs together (bounded_text, or any bounded cache);
// what is missing then is the backward of
//
//   y_t = Σ_j softmax_j(q_t·k_j / √d)·v_j    over j ≤ t ≤ expiry_j
//
// Tokens go in blocks: those of one block see no more than the k states from before it and the block itself,
// so that k + block keys are gathered and all products are dense. FLOPs are T·(k + block) for each product in
// place of T²/2.
#pragma once

#include "kernels/ops.h"

namespace attnlab {

/// y [B,T,H,d] as it is, with that gradient for q [B,T,H,d], k and v [B,T,K,d], which attend as they are
/// given (rotated). expiry: int64 [B, 1, T], or [B, K, T] where key-value heads decide apart, on the host:
/// the last token that sees each one's state, −1: all that follow. Products are in the type of q, or in fp32
/// where that is narrower. Throws c10::Error for other shapes, and where a token does not see itself.
Tensor kept_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& y,
                      const Tensor& expiry);

}  // namespace attnlab
