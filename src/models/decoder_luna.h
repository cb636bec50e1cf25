// Causal Luna (Ma et al. 2021, §3.2) in a decoder, between the same projections and rotations as softmax, so
// that nothing but the attention differs.
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
//
// Weights on disk, beside decoder_attention.h's: model.luna_state.weight [l, D], P;
// self_attn.pack_{query,context}.weight [H·d, D].
#pragma once

#include "attention/causal_luna.h"
#include "models/decoder_attention.h"

namespace attnlab {

enum class LunaPositions { sinusoidal, rotary };

struct DecoderLunaOptions final : DecoderAttentionOptions {
  int64_t length = 16;
  CausalLunaOptions sums;  ///< ω, whether keys and values are tied, and the form without a state
  LunaPositions positions = LunaPositions::sinusoidal;

  void visit(Fields& f) override;
  std::string contradiction(const DecoderOptions& sizes, int64_t kv_heads) const override;
  SharedRows shared_rows() const override { return {"luna_state", length}; }
  std::shared_ptr<DecoderAttentionImpl> build(const DecoderOptions& sizes,
                                              const torch::TensorOptions& tensors,
                                              const Weight& shared) const override;
  bool adds_sinusoids() const override { return positions == LunaPositions::sinusoidal; }
  int64_t rows_of_sums() const override { return length; }
  double flops(const DecoderOptions& sizes, int64_t kept, int64_t n) const override;
};

}  // namespace attnlab
