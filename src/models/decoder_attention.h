// How the layers of a decoder attend. One contract for whole texts with gradients, for exact layer-by-layer
// evaluation and for decoding: what a layer remembers is its state's affair (cache/state.h). Every kind has a
// pair of files beside this one and a line in decoder_attention.cpp.
//
//   y = W_o · read(W_q · x, W_k · x, W_v · x)
//
// Weights on disk: self_attn.{q,k,v,o}_proj.weight [out, in], with .bias [out] where there is one;
// self_attn.{q,k}_norm.weight [d]; where keys and values are one projection, self_attn.kv_proj.weight; what a
// kind adds stands in its own file.
//
// Shapes: B sequences, T tokens, D model width, H query heads, K key-value heads, d head size.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>

#include "cache/rope.h"
#include "cache/state.h"
#include "core/options.h"
#include "models/weight.h"

namespace attnlab {

struct DecoderOptions;

class DecoderAttentionImpl : public torch::nn::Module {
 public:
  /// tied: keys and values are one projection.
  DecoderAttentionImpl(const DecoderOptions& sizes, const torch::TensorOptions& tensors, bool tied);
  /// normed [B,T,D] to [B,T,D]. `tokens` brings positions, ids and padding; its q, k and v are filled here.
  /// Without a state whole texts attend to themselves, with gradients; padding is not looked at then: on the
  /// right it changes nothing at the tokens before it.
  Tensor forward(const Tensor& normed_BTD, NewTokens tokens, const Rope& rope, LayerState* state) const;

 protected:
  /// What tokens with q, k and v read of those before them and of themselves, [B,T,H,d].
  virtual Tensor read(const Tensor& normed_BTD, NewTokens& tokens, const Rope& rope,
                      LayerState* state) const = 0;
  Weight add(const char* name, at::IntArrayRef shape, const torch::TensorOptions& tensors,
             bool with_bias = false);

  const int64_t heads_, head_dim_;

 private:
  Tensor in_heads(const Tensor& x_BTF, const Weight& norm) const;

  double norm_eps_;
  Weight q_{nullptr}, k_{nullptr}, v_{nullptr}, o_{nullptr};  ///< k and v one module where they are tied
  Weight q_norm_{nullptr}, k_norm_{nullptr};                  ///< null without qk_norm
};

/// Options of one kind; `type` in YAML picks it from the table in decoder_attention.cpp. Sizes are those of
/// the model, with nothing left at 0 but in `contradiction`.
struct DecoderAttentionOptions : Component {
  /// What of the model's sizes does not go with it, as a sentence; "": nothing. kv_heads: as resolved.
  virtual std::string contradiction(const DecoderOptions& /*sizes*/, int64_t /*kv_heads*/) const {
    return "";
  }
  /// A parameter [rows, D] of the model that all layers read; without a name there is none.
  struct SharedRows {
    const char* name = nullptr;
    int64_t rows = 0;
  };
  virtual SharedRows shared_rows() const { return {}; }
  /// A layer's attention. shared: that parameter, or null.
  virtual std::shared_ptr<DecoderAttentionImpl> build(const DecoderOptions& sizes,
                                                      const torch::TensorOptions& tensors,
                                                      const Weight& shared) const = 0;
  /// Whether order is seen by sinusoids added to the embeddings.
  virtual bool adds_sinusoids() const { return false; }
  /// Rows of the sums that its layers keep in place of tokens; 0: they keep tokens.
  virtual int64_t rows_of_sums() const { return 0; }
  /// Floating-point operations of a layer's projections and attention over a text from its beginning,
  /// multiply and add counted apart. kept: states in its cache; 0: all.
  virtual double flops(const DecoderOptions& sizes, int64_t kept, int64_t length) const = 0;
};

template <>
const std::vector<Entry<DecoderAttentionOptions>>& registry<DecoderAttentionOptions>();

}  // namespace attnlab
