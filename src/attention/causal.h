// Causal attention: what the tokens of a text read of those before them. One contract for a whole text at
// once, as training needs it, and token by token, as decoding does.
//
// Shapes: B batch, N tokens, D model width, L rows of the carried state (Luna's P), R texts that are decoded
// side by side; S sentences that they belong to, R / S texts each.
#pragma once

#include <memory>

#include "attention/attention.h"

namespace attnlab {

/// What a layer's texts have read so far.
class CausalState {
 public:
  virtual ~CausalState() = default;
  /// Reads one token of every text, x [R, D], and returns what attention gives it, [R, D].
  virtual Tensor read(const Tensor& x_RD) = 0;
  /// Text i goes on from what was text rows[i]; its sentence is sentences[i / beam], both int64; undefined
  /// sentences stay as they are.
  virtual void select(const Tensor& rows_R, const Tensor& sentences_S, int64_t beam) = 0;
  /// Bytes held for all texts.
  virtual int64_t bytes() const = 0;
};

class CausalAttentionImpl : public torch::nn::Module {
 public:
  /// x: [B, N, D]; padding: bool [B, N], true at padded places on either side, or undefined; state [B, L, D]
  /// and masked bool [B, L] as `AttentionImpl` has them, or undefined. Rows at padded places are unspecified
  /// but finite. Row t depends on rows up to t alone.
  virtual Tensor forward(const Tensor& x_BND, const Tensor& padding_BN, const Tensor& state_BLD,
                         const Tensor& masked_BL) = 0;
  /// Nothing read yet; one text a sentence, whose state this is.
  virtual std::unique_ptr<CausalState> start(int64_t sentences, const Tensor& state_SLD,
                                             const Tensor& masked_SL) = 0;
  /// Whether it reads a carried state, and cannot do without.
  virtual bool reads_state() const { return false; }
  /// Floating-point operations of one forward at batch 1 with l rows of the state, multiply and add counted
  /// apart.
  virtual double flops(int64_t n, int64_t l) const = 0;
};

/// Options of one kind of causal attention; `type` in YAML picks it from the table in registry.cpp.
struct CausalAttentionOptions : Component {
  virtual std::shared_ptr<CausalAttentionImpl> build(const AttentionShape& shape) const = 0;
  /// As the module's.
  virtual bool reads_state() const { return false; }
};

template <>
const std::vector<Entry<CausalAttentionOptions>>& registry<CausalAttentionOptions>();

}  // namespace attnlab
