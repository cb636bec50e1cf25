// The key that points most where all keys point goes: keys unlike the others draw attention (KeyDiff, Park et
// al. 2025, arXiv 2504.15364, §3.3: cosine with the mean of the normalised keys). Needs no attention weights.
// Head-wise as there; `heads: layer_wise` takes the mean over the layer's key-value heads. The paper reads
// prompts in blocks of 128 tokens and drops after each (`piece: 128`); here one key goes at every token
// unless a piece is given.
#pragma once

#include "cache/policy.h"

namespace attnlab {

struct KeyDiffOptions final : PolicyOptions {
  KeyDiffOptions() { heads = Heads::head_wise; }
  void visit(Fields& f) override { visit_heads(f); }
  PolicyNeeds needs() const override { return {.weights = false, .figure = SlotFigure::key_cosine}; }
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
};

}  // namespace attnlab
