// How the layers of a decoder attend: softmax over the tokens so far, or causal Luna (Ma et al. 2021, §3.2)
// between the same projections and rotations, so that nothing but the attention differs.
//
//   a_j = ω((x_j·W_pc)·(P·W_pq/√d)ᵀ) ∈ R^l     per head; P [l, D] is a parameter of the model, read by every
//                                              layer and changed by none ("decoder-only")
//   the rest as in kernels/causal_luna.h, of q, k and v as softmax attention has them
//
// Order is seen by sinusoids added to the embeddings, as the paper's decoders have them, of an amplitude like
// the embeddings' own at the start; or, rotary, by rotating queries and keys before they are summed,
// Σ a_j·rot(k_j). In a trial of 100 updates of 4,096 tokens (Luna-16, 4 layers × 256, contexts of 512 tokens
// of PG-19, one seed) validation perplexity was 426 with sinusoids, 452 with rotations, 431 with both and 478
// with neither.
#pragma once

#include <torch/torch.h>

#include "attention/causal_luna.h"
#include "cache/rope.h"
#include "cache/state.h"
#include "core/options.h"

namespace attnlab {

/// Options of one kind; `type` in YAML picks it from the table in decoder_attention.cpp.
struct DecoderAttentionOptions : Component {};

template <>
const std::vector<Entry<DecoderAttentionOptions>>& registry<DecoderAttentionOptions>();

struct DecoderSoftmaxOptions final : DecoderAttentionOptions {
  void visit(Fields&) override {}
};

enum class LunaPositions { sinusoidal, rotary };

struct DecoderLunaOptions final : DecoderAttentionOptions {
  int64_t length = 16;
  CausalLunaOptions sums;  ///< ω, whether keys and values are tied, and the form without a state
  LunaPositions positions = LunaPositions::sinusoidal;

  void visit(Fields& f) override;
};

/// Causal softmax attention of whole texts over themselves, without a state; has gradients. Returns
/// [B,T,H,d]. window: keys that a query may see, itself included; 0: all. Padding is not looked at: on the
/// right it changes nothing at the tokens before it.
Tensor causal_attention(const NewTokens& tokens, const Rope& rope, int64_t window);

/// The same by Luna's sums; `tokens` bring their weights a, and queries divided by √d.
Tensor causal_luna_attention(const NewTokens& tokens, CausalLunaForm form);

}  // namespace attnlab
