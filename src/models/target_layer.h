// One layer of a translator's decoder: what the target's tokens read of one another, what they read of the
// source, and a feed-forward network, each with residual and LayerNorm. Luna's P comes from the encoder's
// end; the source changes it from layer to layer, the target never does.
//
//   post-norm  X_S = LN1(X + drop(self(X, P)))
//              Y_X, Y_P = cross(X_S, source, P);  X_C = LN2(X_S + drop(Y_X));  P' = LN_P(P + drop(Y_P))
//              X' = LN3(X_C + drop(FFN(X_C)))
//   pre-norm   self reads LN1(X) and P as it is, cross LN2(X_S) and LN_P(P), as in the released code; the
//              residuals add to X and P as they are
//
// Weights on disk, in brackets fairseq's names: self_attention.* (self_attn), self_norm
// (self_attn_layer_norm), cross_attention.* (encoder_attn), cross_norm (encoder_attn_layer_norm), state_norm
// (encoder_attn_proj_layer_norm; only with a state), ffn_in (fc1), ffn_out (fc2), ffn_norm
// (final_layer_norm).
#pragma once

#include "attention/causal.h"
#include "kernels/linear.h"
#include "models/encoder.h"

namespace attnlab {

class TargetLayerImpl final : public torch::nn::Module {
 public:
  struct Output {
    Tensor x_BTD, state_BLD;
  };
  /// What a layer keeps while targets are decoded token by token.
  struct Steps {
    std::unique_ptr<CausalState> texts;
    std::unique_ptr<OpenedContext> source;
  };

  TargetLayerImpl(const EncoderLayerOptions& options, std::shared_ptr<CausalAttentionImpl> self,
                  std::shared_ptr<AttentionImpl> cross);
  /// x: [B, T, D] with its padding, bool [B, T] or undefined; the source, and P as the layer before left it.
  Output forward(Tensor x_BTD, const Tensor& padding_BT, const Encoded& source, Tensor state_BLD);

  /// Reads the source for S sentences and replaces P by the next layer's. Without dropout.
  Steps open(const Encoded& source, Tensor& state_SLD);
  /// One token of every text, x [R, D], where each sentence has `beam` texts side by side.
  Tensor step(Tensor x_RD, Steps& steps, int64_t beam);

  CausalAttentionImpl& self_attention() { return *self_attention_; }
  AttentionImpl& cross_attention() { return *cross_attention_; }

 private:
  Tensor fed_forward(const Tensor& x) const;
  /// `y` of a sublayer on its way back to the residual.
  Tensor joined(const Tensor& x, const Tensor& y, const torch::nn::LayerNorm& norm) const;
  Tensor read(const Tensor& x, const torch::nn::LayerNorm& norm) const;
  Drop draw() const { return Drop::draw(options_.dropout, is_training()); }

  EncoderLayerOptions options_;
  std::shared_ptr<CausalAttentionImpl> self_attention_;
  std::shared_ptr<AttentionImpl> cross_attention_;
  torch::nn::LayerNorm self_norm_{nullptr}, cross_norm_{nullptr}, state_norm_{nullptr}, ffn_norm_{nullptr};
  Linear ffn_in_{nullptr}, ffn_out_{nullptr};
};
TORCH_MODULE(TargetLayer);

}  // namespace attnlab
