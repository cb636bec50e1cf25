// Causal language model of the Llama family (Llama, Mistral, Yi, Qwen): embeddings, layers, a last RMSNorm,
// an output projection. It does not know what its layers remember: a full cache, a bounded one, or nothing
// (training).
//
//   X = E[ids];  X = layer(X), layer after layer;  hidden = N(X);  logits = W_head · hidden
//
// Weights on disk, as in Hugging Face's folders: model.embed_tokens.weight [V, D], model.layers.<i>.* (see
// decoder_layer.h), model.norm.weight [D], lm_head.weight [V, D] (absent with tied embeddings), and a
// parameter that the attention of all layers reads (decoder_luna.h).
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>

#include "cache/cache_options.h"
#include "models/decoder_layer.h"

namespace attnlab {

class DecoderImpl final : public torch::nn::Module {
 public:
  /// Weights of `tensors`' type and device, drawn from N(0, 0.02), norms 1 (as transformers initialises
  /// Llama). So are Luna's P, which encoders draw from N(0, D^-½) (models/encoder.h): a departure from Luna's
  /// own recipe, so that nothing but the attention differs from the Transformer beside it. On Torch's meta
  /// device nothing is allocated, and every weight has to be assigned. Throws UserError where the sizes
  /// contradict each other.
  explicit DecoderImpl(const DecoderOptions& options, const torch::TensorOptions& tensors = {});

  /// hidden [B,T,D] of new tokens, after the last norm. ids and positions: int64 [B,T]; padding: bool [B,T],
  /// true where a sequence has no token, or undefined; states: one a layer, which remember the tokens before
  /// and are given these; surprisal: −log p of each token, fp32 [B,T], for policies that ask for it. Where a
  /// prompt comes in several calls, all but the last say that it goes on: states are dropped as if it had
  /// come in one (but by SnapKV, which observes the queries of the last call alone).
  Tensor forward(const Tensor& ids_BT, const Tensor& positions_BT, const Tensor& padding_BT,
                 DecoderState& states, const Tensor& surprisal_BT = {}, bool prompt_goes_on = false);
  /// The same of whole texts that begin at position 0, with gradients. Padding may stand on the right, where
  /// there are no states. Those of models/training_states.h say what each layer forgets; null: nothing, of
  /// all layers or of one.
  Tensor forward_training(const Tensor& ids_BT, DecoderState* states = nullptr);
  /// Logits [.., V] of hidden [.., D].
  Tensor logits(const Tensor& hidden) const;
  /// The projection that makes them, [V, D].
  const Tensor& output_weight() const { return **(options_.tied_embeddings ? tokens_ : head_); }

  /// With nothing left at 0.
  const DecoderOptions& options() const { return options_; }
  /// Type and device of the weights.
  torch::TensorOptions tensors() const { return (**tokens_).options().requires_grad(false); }
  /// Type and device of what the layers compute with, and of the logits: those of the weights, but fp32 where
  /// these are narrow and on the CPU.
  torch::TensorOptions activations() const;
  /// Makes the tables of rotary positions ready for texts of so many tokens, which otherwise grow as texts
  /// do.
  void reserve_positions(int64_t positions) { rope_.reserve(positions); }
  /// Takes a tensor as the weight of this name, "model.norm.weight", without a copy.
  void assign(const std::string& name, Tensor tensor);

 private:
  /// `tokens` without q, k and v; states null, or those of a layer: its texts attend to themselves.
  Tensor run(const NewTokens& tokens, DecoderState* states);

  Tensor embed(const NewTokens& tokens) const;

  DecoderOptions options_;
  Rope rope_;
  torch::nn::ModuleList layers_;
  Weight tokens_{nullptr}, norm_{nullptr}, head_{nullptr};
};
TORCH_MODULE(Decoder);

/// The attention of such a decoder, as make_states asks for it.
StateShape state_shape(const DecoderOptions& options);

/// How many weights such a model has. Allocates nothing.
int64_t parameter_count(const DecoderOptions& options);

}  // namespace attnlab
