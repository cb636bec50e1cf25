// Linformer: keys and values projected along the sequence to a fixed number of rows (Wang et al. 2020,
// arXiv 2006.04768, eq. 7), one projection for all heads of a layer.
//
//   K̄ = E·(C·W_k),  V̄ = F·(C·W_v),  Y = drop(softmax(Q·K̄ᵀ/√d))·V̄·W_o
//
// E and F have a column for every position, so the longest text is fixed when the model is built. Padded
// positions are left out of the sums (the released LRA code sums over them). E·(C·W_k) is computed as
// (E·C)·W_k, which is the same and never holds an M×D key.
//
// Weights on disk: query, key, value, output, each {weight [D, D], bias [D]}; compress_key.weight
// [k, max_length], and compress_value.weight unless shared.
#pragma once

#include "attention/projected.h"
#include "kernels/linear.h"

namespace attnlab {

struct LinformerOptions final : AttentionOptions {
  int64_t projected_length = 128;
  bool share_projections = true;

  void visit(Fields& f) override;
  std::shared_ptr<AttentionImpl> build(const AttentionShape& shape) const override;
};

class LinformerAttentionImpl final : public ProjectedAttentionImpl {
 public:
  LinformerAttentionImpl(const LinformerOptions& options, const AttentionShape& shape);
  /// Throws UserError where a sentence is longer than the shape's max_length.
  AttentionOutput forward(const Tensor& query_BND, const Tensor& context_BMD, const Masks& masks,
                          const Tensor& state_BLD) override;
  double flops(int64_t n, int64_t m) const override;

 private:
  LinformerOptions options_;
  Linear compress_key_{nullptr}, compress_value_{nullptr};
};

}  // namespace attnlab
