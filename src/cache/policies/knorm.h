// The key with the largest L2 norm goes: keys of small norm draw attention (Devoto et al. 2024, arXiv
// 2406.11430; NVIDIA kvpress, KnormPress). Needs no attention weights. Head-wise as there; `heads:
// layer_wise` takes the mean norm over the layer's key-value heads. Here one key goes at every token once k
// is exceeded, and in every layer unless `only_layers` says otherwise; the authors' example (l2compress)
// leaves the first two layers full and prunes caches of some 1,000 tokens and more.
#pragma once

#include "cache/policy.h"

namespace attnlab {

struct KnormOptions final : PolicyOptions {
  KnormOptions() { heads = Heads::head_wise; }
  void visit(Fields& f) override { visit_heads(f); }
  PolicyNeeds needs() const override { return {.weights = false, .key_norms = true}; }
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
};

}  // namespace attnlab
