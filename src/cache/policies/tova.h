// TOVA (Oren et al. 2024, arXiv 2401.06104, §3.2): the state with the smallest attention weight of the newest
// query, averaged over the heads, goes. Nothing is protected: the newest token can go. The paper's ablation
// has each head decide apart; with grouped queries a key-value head averages over its group.
#pragma once

#include "cache/policy.h"

namespace attnlab {

struct TovaOptions final : PolicyOptions {
  void visit(Fields& f) override { visit_heads(f); }
  PolicyNeeds needs() const override { return {.plain = PlainRule::lowest_weight}; }
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
};

}  // namespace attnlab
