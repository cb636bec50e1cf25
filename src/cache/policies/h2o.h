// Heavy hitters (H2O, Zhang et al. 2023, arXiv 2306.14048, Alg. 1): of the states before the most recent
// ⌊k/2⌋, the one with the smallest attention summed over all steps so far goes. Head-wise as in the main
// results of Oren et al. 2024; `heads: layer_wise` averages over the layer's heads first. The states kept are
// k after dropping (the two released variants of H2O differ by one here).
#pragma once

#include "cache/policy.h"

namespace attnlab {

struct H2oOptions final : PolicyOptions {
  H2oOptions() { heads = Heads::head_wise; }
  void visit(Fields& f) override { visit_heads(f); }
  /// Throws UserError where the recent states and the protected ones leave no other.
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
};

}  // namespace attnlab
