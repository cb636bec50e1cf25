// One layer of an encoder: attention and a feed-forward network, each with residual and LayerNorm. It does
// not know which attention it holds: one that carries no state simply gets and gives an undefined one.
//
//   post-norm  Y_X, Y_P = attention(X, P)
//              X_A = LN1(X + drop(Y_X));  P' = LN_P(P + drop(Y_P));  X' = LN2(X_A + drop(FFN(X_A)))
//   pre-norm   Y_X, Y_P = attention(LN1(X), LN_P(P))
//              X_A = X + drop(Y_X);       P' = P + drop(Y_P);        X' = X_A + drop(FFN(LN2(X_A)))
//
// The feed-forward network never touches P. P' is the next layer's P.
//
// Weights on disk: attention.* (see the attention's header); attention_norm.{weight, bias} (LN1);
// state_norm.{weight, bias} (LN_P, only with a state); ffn_in.{weight [F, D], bias [F]};
// ffn_out.{weight [D, F], bias [D]}; ffn_norm.{weight, bias} (LN2).
#pragma once

#include <torch/torch.h>

#include <memory>

#include "attention/attention.h"
#include "kernels/linear.h"
#include "kernels/ops.h"

namespace attnlab {

inline constexpr double norm_eps = 1e-5;

/// What a layer needs to know; a part of EncoderOptions.
struct EncoderLayerOptions {
  int64_t dim = 0;
  int64_t ffn_dim = 0;
  Activation activation = Activation::gelu;
  bool norm_first = false;
  double dropout = 0.0;
  double activation_dropout = 0.0;
  bool recompute = false;
};

/// A LayerNorm over [.., d], not yet registered.
torch::nn::LayerNorm layer_norm_of(int64_t d);

/// LayerNorm(residual + drop(x)) with the weights of `norm`; residual may be undefined.
Tensor normalised(const Tensor& residual, const Tensor& x, Drop drop, const torch::nn::LayerNorm& norm);

/// FFN(x) with the activation and dropout that a layer's options name.
Tensor feed_forward_of(const Tensor& x, const Linear& in, const Linear& out,
                       const EncoderLayerOptions& options, bool training);

class EncoderLayerImpl final : public torch::nn::Module {
 public:
  struct Output {
    Tensor x_BND;
    Tensor state_BLD;  ///< undefined where the attention has none
  };

  EncoderLayerImpl(const EncoderLayerOptions& options, std::shared_ptr<AttentionImpl> attention);
  /// x: [B, N, D]; state: [B, L, D] or undefined. Both are taken by value so that the caller can give them
  /// up.
  Output forward(Tensor x_BND, Tensor state_BLD, const Masks& masks);
  AttentionImpl& attention() { return *attention_; }
  /// Floating-point operations of one forward at batch 1, matrix products only.
  double flops(int64_t n) const;

 private:
  Output post_norm(Tensor x_BND, Tensor state_BLD, const Masks& masks);
  Output pre_norm(Tensor x_BND, Tensor state_BLD, const Masks& masks);
  Tensor fed_forward(const Tensor& x_BND) const;
  Drop draw() const { return Drop::draw(options_.dropout, is_training()); }

  EncoderLayerOptions options_;
  std::shared_ptr<AttentionImpl> attention_;
  torch::nn::LayerNorm attention_norm_{nullptr}, state_norm_{nullptr}, ffn_norm_{nullptr};
  Linear ffn_in_{nullptr}, ffn_out_{nullptr};
};
TORCH_MODULE(EncoderLayer);

}  // namespace attnlab
