// Softmax attention (Vaswani et al. 2017, §3.2) in three forms that compute the same thing.
//
// On the CPU Torch's scaled_dot_product_attention is fused only without dropout: with dropout on the weights
// it falls back to its own unfused form and its own generator.
//
// Weights on disk: query, key, value, output, each {weight [D, D], bias [D]}.
#pragma once

#include "attention/projected.h"

namespace attnlab {

struct SoftmaxOptions final : AttentionOptions {
  enum class Implementation {
    eager,  ///< holds the H×N×M weights, as in the paper's formula; dropout from this project's generator
    sdpa,   ///< Torch's scaled_dot_product_attention; see the note on dropout above
    weighted,  ///< this project's operator, which holds the weights: softmax and dropout in one pass
  };
  Implementation implementation = Implementation::sdpa;
  bool torch_dropout = false;

  void visit(Fields& f) override;
  std::shared_ptr<AttentionImpl> build(const AttentionShape& shape) const override;
};

class SoftmaxAttentionImpl final : public ProjectedAttentionImpl {
 public:
  SoftmaxAttentionImpl(const SoftmaxOptions& options, const AttentionShape& shape);
  AttentionOutput forward(const Tensor& query_BND, const Tensor& context_BMD, const Masks& masks,
                          const Tensor& state_BLD) override;
  std::unique_ptr<OpenedContext> open(const Tensor& context_BMD, const Masks& masks,
                                      const Tensor& state_BLD) override;
  double flops(int64_t n, int64_t m) const override;
  WeightMemory weight_memory(int64_t n, int64_t m, torch::DeviceType device) const override;

 private:
  class KeysAndValues;

  SoftmaxOptions options_;
};

}  // namespace attnlab
