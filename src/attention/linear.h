// Linear attention with φ(x) = elu(x) + 1 (Katharopoulos et al. 2020, arXiv 2006.16236, eqs. 5 and 7): no
// softmax, no n×n weights, and so no dropout on weights either.
//
// Weights on disk: query, key, value, output, each {weight [D, D], bias [D]}.
#pragma once

#include "attention/projected.h"

namespace attnlab {

struct LinearOptions final : AttentionOptions {
  void visit(Fields& f) override;
  std::shared_ptr<AttentionImpl> build(const AttentionShape& shape) const override;
};

class LinearAttentionImpl final : public ProjectedAttentionImpl {
 public:
  explicit LinearAttentionImpl(const AttentionShape& shape);
  AttentionOutput forward(const Tensor& query_BND, const Tensor& context_BMD, const Masks& masks,
                          const Tensor& state_BLD) override;
  double flops(int64_t n, int64_t m) const override;
};

}  // namespace attnlab
