// Token and position embeddings, the carried state where the attention has one, and a stack of layers.
//
//   X = drop(LN(tokens + positions)),  P = drop(LN(P_0))      LN only with embedding_norm
//   (X, P) = layer(X, P), layer after layer
//   X = LN(X)                                                 only with norm_first, as in the released code
//
// Weights on disk: tokens.weight [V, D]; positions.weight [max_length + 2, D] (learned positions only);
// state [l, D] (P_0, only with a state); embedding_norm.{weight, bias} and state_norm.{weight, bias} (with
// embedding_norm); layers.<i>.* (see encoder_layer.h); final_norm.{weight, bias} (with norm_first).
// The last layer's state_norm is read by nothing: it counts as parameters, as in the released code, and its
// gradient is absent.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "attention/attention.h"
#include "models/encoder_layer.h"
#include "models/initialise.h"
#include "models/positions.h"

namespace attnlab {

struct EncoderOptions {
  int64_t dim = 256;
  int64_t layers = 4;
  int64_t heads = 4;
  int64_t ffn_dim = 1024;
  Activation activation = Activation::gelu;
  bool norm_first = false;
  double dropout = 0.1;
  double attention_dropout = 0.1;
  double activation_dropout = 0.0;
  PositionKind positions = PositionKind::learned;
  bool embedding_norm = true;
  bool scale_embeddings = false;
  bool state_scale_and_positions = false;
  bool zero_padded_once = false;
  Initialisation initialisation = Initialisation::lra;
  bool recompute = false;
  Choice<AttentionOptions> attention;

  void visit(Fields& f);
};

/// A source as others read it: hidden states, the last layer's P, and what of both may be read.
struct Encoded {
  Tensor x_BND;      ///< rows at padded places are unspecified but finite
  Tensor state_BLD;  ///< undefined without a state
  Masks masks;
};

class EncoderImpl final : public torch::nn::Module {
 public:
  /// vocabulary: token ids are below it; max_length: longest sequence in tokens. Throws UserError where the
  /// options contradict each other.
  EncoderImpl(const EncoderOptions& options, int64_t vocabulary, int64_t max_length);
  /// ids: int64 [B, N]; padding: bool [B, N], true where padded (on either side), or undefined. Returns [B,
  /// N, D]; rows at padded places are unspecified but finite.
  Tensor forward(const Tensor& ids_BN, const Tensor& padding_BN = {}) {
    return encode(ids_BN, padding_BN).x_BND;
  }
  /// The same with the carried state.
  Encoded encode(const Tensor& ids_BN, const Tensor& padding_BN = {});
  /// The token embeddings [V, D], for those who share them.
  const Tensor& token_weight() const { return tokens_->weight; }
  int64_t state_length() const { return state_LD_.defined() ? state_LD_.size(0) : 0; }
  /// Floating-point operations of one forward at batch 1, matrix products only.
  double flops(int64_t n) const;

 private:
  Tensor embed(const Tensor& ids_BN, const Tensor& padding_BN);
  Tensor embed_state(int64_t batch, const StateExtent& extent);

  EncoderOptions options_;
  torch::nn::Embedding tokens_{nullptr};
  Positions positions_{nullptr};
  Tensor state_LD_;            // P_0
  Tensor state_positions_LD_;  // of all its rows; made when first asked for
  torch::nn::LayerNorm embedding_norm_{nullptr}, state_norm_{nullptr}, final_norm_{nullptr};
  torch::nn::ModuleList layers_;
};
TORCH_MODULE(Encoder);

}  // namespace attnlab
