// TOVA's weight times a function of how surprising the token was when it was read: weight · (1 + −log
// p)^power. An expected token is the easier to do without. A token's −log p is known only once the token
// before it has passed all layers, so this policy runs where tokens are fed one by one and their surprisal
// with them.
#pragma once

#include "cache/policy.h"

namespace attnlab {

struct SurprisalOptions final : PolicyOptions {
  double power = 1.0;

  void visit(Fields& f) override {
    visit_heads(f);
    f("power", power, Range{-16, 16}, "exponent of (1 + surprisal in nats); 0 is TOVA");
  }
  PolicyNeeds needs() const override { return {.surprisal = true}; }
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
};

}  // namespace attnlab
