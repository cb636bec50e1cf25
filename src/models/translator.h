// An encoder-decoder for translation (Vaswani et al. 2017; Luna §4.2): Transformer or Luna by the attentions
// it is given. The encoder's last P is the decoder's first, with norm_first as LN(P); its whole path through
// the decoder depends on the source alone.
//
//   target  X = drop(√D·tokens + positions);  (X, P) = layer(X, P, source), layer after layer;  logits = X·Eᵀ
//
// Weights on disk: encoder.* (see encoder.h); target_tokens.weight [V, D] (unless all embeddings are shared);
// layers.<i>.* (see target_layer.h); final_norm.{weight, bias} (with norm_first); source_state_norm.{weight,
// bias} (with norm_first and a state: the released encoder.proj_layer_norm; decoder.proj_layer_norm, which
// nothing reads there, is left out); projection [V, D] (only where no embeddings are shared);
// target_positions.weight (learned positions only).
#pragma once

#include "models/encoder.h"
#include "models/target_layer.h"

namespace attnlab {

/// Which embeddings are one table.
enum class SharedEmbeddings {
  all,     ///< source, target, and the output's projection: a joint vocabulary's
  target,  ///< target and projection
  none,
};

struct TranslatorOptions {
  EncoderOptions encoder;
  int64_t decoder_layers = 6;
  SharedEmbeddings shared_embeddings = SharedEmbeddings::all;
  Choice<CausalAttentionOptions> self_attention;
  Choice<AttentionOptions> cross_attention;

  TranslatorOptions();
  void visit(Fields& f);
};

class TranslatorImpl final : public torch::nn::Module {
 public:
  /// One vocabulary for both sides; max_length: longest sentence on either, in tokens. Throws UserError where
  /// the options contradict each other.
  TranslatorImpl(const TranslatorOptions& options, int64_t vocabulary, int64_t max_length);
  /// ids: int64 [B, N]; padding: bool [B, N], true where padded (on either side), or undefined.
  Encoded encode(const Tensor& ids_BN, const Tensor& padding_BN);
  /// Hidden states [B, T, D] of targets given whole; logits are their products with projection()'s rows.
  Tensor decode(const Tensor& ids_BT, const Tensor& padding_BT, const Encoded& source);
  /// [V, D].
  const Tensor& projection() const;

  /// What every layer keeps while targets of these sources are decoded token by token; one text a sentence.
  std::vector<TargetLayerImpl::Steps> open(const Encoded& source);
  /// Hidden states [R, D] of the `token`-th token of every text, ids [R]; each sentence has `beam` of them.
  Tensor step(const Tensor& ids_R, int64_t token, std::vector<TargetLayerImpl::Steps>& layers, int64_t beam);

  int64_t vocabulary() const { return vocabulary_; }
  int64_t max_length() const { return max_length_; }
  /// Floating-point operations of one forward of a pair, matrix products only, the projection among them.
  double flops(int64_t source_tokens, int64_t target_tokens) const;

 private:
  const Tensor& target_weight() const;
  Tensor embedded(const Tensor& ids) const;

  TranslatorOptions options_;
  int64_t vocabulary_, max_length_;
  Encoder encoder_{nullptr};
  torch::nn::Embedding target_tokens_{nullptr};
  Positions positions_{nullptr};
  torch::nn::ModuleList layers_;
  torch::nn::LayerNorm final_norm_{nullptr}, source_state_norm_{nullptr};
  Tensor projection_VD_;  // undefined where shared
};
TORCH_MODULE(Translator);

}  // namespace attnlab
