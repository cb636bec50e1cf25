// The state whose loss changes the layer's output least goes: p/(1 − p)·‖v − y‖, exact for each query head,
// with the newest token's weight p, the state's value v and the head's output y (CAOTE, Goel et al. 2025,
// arXiv 2504.14051, eq. 5, which scales any score by ‖v − y‖/(1 − p)). With p as score, as here, it is TOVA
// that knows of values: `heads: layer_wise` takes the mean over the layer's query heads, `head_wise` over
// each key-value head's.
#pragma once

#include "cache/policy.h"

namespace attnlab {

struct CaoteOptions final : PolicyOptions {
  void visit(Fields& f) override { visit_heads(f); }
  PolicyNeeds needs() const override { return {.figure = SlotFigure::output_change}; }
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
};

}  // namespace attnlab
