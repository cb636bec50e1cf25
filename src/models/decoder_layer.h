// One layer of a Llama-architecture decoder, and the parts that it shares with the decoder itself.
//
//   X_A = X + W_o · attend(rope(W_q · N_1(X)), rope(W_k · N_1(X)), W_v · N_1(X))
//   X'  = X_A + W_down · (silu(W_gate · N_2(X_A)) ∘ W_up · N_2(X_A))          N: RMSNorm
//
// No biases (Touvron et al. 2023, arXiv 2302.13971), but for Qwen2's on W_q, W_k and W_v; Qwen3 norms each
// head of queries and keys before it rotates them. Modules and weights bear the names of Hugging Face's
// files: self_attn.{q,k,v,o}_proj.weight, mlp.{gate,up,down}_proj.weight, [out, in], with .bias [out] where
// there is one; {input,post_attention}_layernorm.weight [D], self_attn.{q,k}_norm.weight [d]. With Luna also
// self_attn.pack_{query,context}.weight [D, D], and for tied keys and values self_attn.kv_proj.weight.
//
// Shapes: B sequences, T tokens, D model width, H query heads, K key-value heads, d head size.
#pragma once

#include <torch/torch.h>

#include <string>

#include "cache/rope.h"
#include "cache/state.h"
#include "models/decoder_attention.h"
#include "models/decoder_options.h"

namespace attnlab {

/// A module that is one tensor, called `weight`, so that a file's name leads to it, and perhaps a `bias`
/// beside it.
class WeightImpl final : public torch::nn::Module {
 public:
  WeightImpl(at::IntArrayRef shape, const torch::TensorOptions& options, bool with_bias = false);
  const Tensor& operator*() const { return tensor_; }
  /// [out], or undefined.
  const Tensor& bias() const { return bias_; }
  /// Takes the tensor in place of its own, `name` being "weight" or "bias": another type, device or storage,
  /// the same shape. Nothing is copied, so a view of a mapped file stays one.
  void assign(const std::string& name, Tensor tensor);

 private:
  Tensor tensor_, bias_;  ///< the registered ones: handles of the same storage
};
TORCH_MODULE(Weight);

/// x [.., in] · Wᵀ, with the bias added where there is one.
Tensor project(const Tensor& x, const Weight& weight);
/// The same for several weights, read in one go (thin_linears).
std::vector<Tensor> project(const Tensor& x, std::initializer_list<Weight> weights);

/// RMSNorm (Zhang and Sennrich 2019): x / √(mean(x²) + eps) in fp32 (fp64 for fp64 x), cast back, then times
/// the weight.
Tensor rms_norm(const Tensor& x, const Weight& weight, double eps);

class DecoderLayerImpl final : public torch::nn::Module {
 public:
  /// luna_state: the model's P, null where the attention is softmax.
  DecoderLayerImpl(const DecoderOptions& options, const torch::TensorOptions& tensors, Weight luna_state);
  /// x [B,T,D] to [B,T,D]. `tokens` brings positions, ids and padding; its q, k and v are filled here.
  /// Without a state the texts attend to themselves (see causal_attention).
  Tensor forward(const Tensor& x_BTD, NewTokens tokens, const Rope& rope, LayerState* state);

 private:
  Tensor attention(const Tensor& x_BTD, NewTokens tokens, const Rope& rope, LayerState* state) const;
  Tensor attend(const NewTokens& tokens, const Rope& rope, LayerState* state) const;
  /// Queries and keys as Luna's sums take them.
  void take_into_sums(NewTokens& tokens, const Rope& rope) const;
  /// The tokens' weights a in Luna's sums, [B,T,H,L].
  Tensor luna_weights(const Tensor& normed_BTD, LayerState* state) const;
  Tensor pack_queries(torch::ScalarType type) const;  // [H, d, L], divided by √d
  Tensor feed_forward(const Tensor& x_BTD) const;

  DecoderOptions options_;
  Weight input_norm_{nullptr}, attention_norm_{nullptr};
  Weight q_{nullptr}, k_{nullptr}, v_{nullptr}, o_{nullptr};  ///< k and v one module where they are tied
  Weight luna_state_{nullptr};                                ///< the model's, not registered here
  Weight pack_query_{nullptr}, pack_context_{nullptr};        ///< null without Luna
  Weight q_norm_{nullptr}, k_norm_{nullptr};                  ///< null without qk_norm
  Weight gate_{nullptr}, up_{nullptr}, down_{nullptr};
};
TORCH_MODULE(DecoderLayer);

}  // namespace attnlab
