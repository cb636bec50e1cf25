// Softmax attention of a decoder over the tokens so far (Vaswani et al. 2017), with rotary positions and
// perhaps a sliding window.
#pragma once

#include "models/decoder_attention.h"

namespace attnlab {

struct DecoderSoftmaxOptions final : DecoderAttentionOptions {
  void visit(Fields&) override {}
  std::shared_ptr<DecoderAttentionImpl> build(const DecoderOptions& sizes,
                                              const torch::TensorOptions& tensors,
                                              const Weight& shared) const override;
  double flops(const DecoderOptions& sizes, int64_t kept, int64_t length) const override;
};

/// Causal softmax attention of whole texts over themselves, without a state; has gradients. Returns
/// [B,T,H,d]. window: keys that a query may see, itself included; 0: all. Padding is not looked at: on the
/// right it changes nothing at the tokens before it.
Tensor causal_attention(const NewTokens& tokens, const Rope& rope, int64_t window);

}  // namespace attnlab
