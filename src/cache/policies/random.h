// A uniformly random state goes: the floor. The draw depends on seed, layer, head, step and token alone, so
// every way of computing the same text drops the same states, in a batch or alone.
#pragma once

#include "cache/policy.h"

namespace attnlab {

struct RandomOptions final : PolicyOptions {
  void visit(Fields& f) override { visit_heads(f); }
  PolicyNeeds needs() const override { return {.weights = false}; }
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
};

}  // namespace attnlab
