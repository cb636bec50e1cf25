// Scissorhands (Liu et al. 2023, arXiv 2305.17118, Alg. 1): over a window of past steps, how often a state's
// weight fell below 1 / (states held); the state that did most often goes. The most recent states are
// protected. The paper drops half of its buffer at a time; here one state goes when there is one too many, as
// for every policy.
#pragma once

#include "cache/policy.h"

namespace attnlab {

struct ScissorhandsOptions final : PolicyOptions {
  ScissorhandsOptions() { heads = Heads::head_wise; }
  int64_t history = 400;
  int64_t recent = 10;

  void visit(Fields& f) override {
    visit_heads(f);
    f("history", history, Range{1, 1 << 20}, "past steps that are counted (paper: 400)");
    f("recent", recent, Range{0, 1 << 20},
      "most recent states that are never dropped, at most ⌊size/2⌋ (paper: 10)");
  }
  /// Throws UserError where the recent states and the protected ones leave no other.
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
};

}  // namespace attnlab
