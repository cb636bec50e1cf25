// SnapKV (Li et al. 2024, arXiv 2404.14469, §4): once, after the prompt, each key-value head keeps the states
// that the prompt's last queries looked at: the sum of their weights, pooled over neighbouring tokens, top k.
// The observed window itself stays. What is generated afterwards is kept. Pooled by the average, as NVIDIA
// kvpress and by default the authors' code do (snapkv_utils.py), or by the maximum, that code's other choice;
// the mean over a group of queries is kvpress's.
#pragma once

#include "cache/policies/neighbour_pooling.h"
#include "cache/policy.h"

namespace attnlab {

struct SnapKvOptions final : PolicyOptions {
  SnapKvOptions() { heads = Heads::head_wise; }
  int64_t window = 64;
  int64_t pool = 5;
  NeighbourPooling pooling = NeighbourPooling::average;

  void visit(Fields& f) override {
    visit_heads(f);
    f("window", window, Range{1, 1 << 20}, "last queries of the prompt that are observed (paper: 32 or 64)");
    f("pool", pool, Range{1, 1001}, "neighbours that the pooling spans, odd (authors: 5 or 7)");
    f("pooling", pooling, {{"average", NeighbourPooling::average}, {"max", NeighbourPooling::max}},
      "of the neighbours' sums; average: over `pool`, with 0 beyond either end (the released code's "
      "default)");
    f.require(pool % 2 == 1, "pool", "the pooling spans an odd number of neighbours, centred on a state");
  }
  PolicyNeeds needs() const override { return {.prefill_only = true}; }
  /// Throws UserError where k is not larger than the window.
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
};

}  // namespace attnlab
