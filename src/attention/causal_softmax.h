// Causal softmax attention (Vaswani et al. 2017, §3.2.3): every token reads itself and those before it.
//
// Weights on disk: query, key, value, output, each {weight [D, D], bias [D]}.
#pragma once

#include "attention/projected.h"

namespace attnlab {

struct CausalSoftmaxOptions final : CausalAttentionOptions {
  enum class Implementation {
    weighted,  ///< this project's operator, which holds the H×N×N weights: softmax and dropout in one pass
    sdpa,      ///< Torch's scaled_dot_product_attention (on the CPU fused only without dropout)
  };
  Implementation implementation = Implementation::weighted;

  void visit(Fields& f) override;
  std::shared_ptr<CausalAttentionImpl> build(const AttentionShape& shape) const override;
};

class CausalSoftmaxImpl final : public ProjectedCausalAttentionImpl {
 public:
  CausalSoftmaxImpl(const CausalSoftmaxOptions& options, const AttentionShape& shape);
  Tensor forward(const Tensor& x_BND, const Tensor& padding_BN, const Tensor& state_BLD,
                 const Tensor& masked_BL) override;
  std::unique_ptr<CausalState> start(int64_t sentences, const Tensor& state_SLD,
                                     const Tensor& masked_SL) override;
  double flops(int64_t n, int64_t l) const override;

 private:
  class KeysAndValues;

  CausalSoftmaxOptions options_;
};

}  // namespace attnlab
