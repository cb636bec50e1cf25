// One layer of a Llama-architecture decoder.
//
//   X_A = X + W_o · attend(rope(W_q · N_1(X)), rope(W_k · N_1(X)), W_v · N_1(X))
//   X'  = X_A + W_down · (silu(W_gate · N_2(X_A)) ∘ W_up · N_2(X_A))          N: RMSNorm
//
// No biases (Touvron et al. 2023, arXiv 2302.13971), but for Qwen2's on W_q, W_k and W_v; Qwen3 norms each
// head of queries and keys before it rotates them. Modules and weights bear the names of Hugging Face's
// files: self_attn.* (decoder_attention.h), mlp.{gate,up,down}_proj.weight [out, in],
// {input,post_attention}_layernorm.weight [D].
//
// Shapes: B sequences, T tokens, D model width, H query heads, K key-value heads, d head size.
#pragma once

#include <torch/torch.h>

#include <memory>

#include "cache/rope.h"
#include "cache/state.h"
#include "models/decoder_attention.h"
#include "models/decoder_options.h"
#include "models/weight.h"

namespace attnlab {

class DecoderLayerImpl final : public torch::nn::Module {
 public:
  /// shared: the parameter of the model that the attention of all layers reads, or null.
  DecoderLayerImpl(const DecoderOptions& options, const torch::TensorOptions& tensors, const Weight& shared);
  /// x [B,T,D] to [B,T,D]. `tokens` brings positions, ids and padding; its q, k and v are filled by the
  /// attention. Without a state the texts attend to themselves.
  Tensor forward(const Tensor& x_BTD, NewTokens tokens, const Rope& rope, LayerState* state);

 private:
  Tensor feed_forward(const Tensor& x_BTD) const;

  double norm_eps_;
  std::shared_ptr<DecoderAttentionImpl> attention_;
  Weight input_norm_{nullptr}, attention_norm_{nullptr};
  Weight gate_{nullptr}, up_{nullptr}, down_{nullptr};
};
TORCH_MODULE(DecoderLayer);

}  // namespace attnlab
