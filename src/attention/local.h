// Local attention: the sequence is cut into blocks, and a position reads its own block and the neighbouring
// ones (Tay et al. 2021, arXiv 2011.04006, "Local Attention"; Parmar et al. 2018, §3, local 1-D blocks).
//
// Blocks are counted from each sentence's first token. With no neighbours it is LRA's block-local attention
// as the paper describes it. (LRA's released local_attention.py reshapes the sequence to [block, blocks], so
// that what it calls a block is every (n/block)-th position.)
//
// Weights on disk: query, key, value, output, each {weight [D, D], bias [D]}.
#pragma once

#include "attention/projected.h"

namespace attnlab {

struct LocalOptions final : AttentionOptions {
  int64_t block = 64;
  int64_t neighbours = 1;

  void visit(Fields& f) override;
  std::shared_ptr<AttentionImpl> build(const AttentionShape& shape) const override;
  bool counts_queries() const override { return true; }
};

class LocalAttentionImpl final : public ProjectedAttentionImpl {
 public:
  LocalAttentionImpl(const LocalOptions& options, const AttentionShape& shape);
  AttentionOutput forward(const Tensor& query_BND, const Tensor& context_BMD, const Masks& masks,
                          const Tensor& state_BLD) override;
  double flops(int64_t n, int64_t m) const override;
  WeightMemory weight_memory(int64_t n, int64_t m, torch::DeviceType device) const override;

 private:
  int64_t span() const { return (2 * options_.neighbours + 1) * options_.block; }

  LocalOptions options_;
};

}  // namespace attnlab
