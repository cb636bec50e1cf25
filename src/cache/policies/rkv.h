// Of states that say the same the older go first (R-KV, Cai et al. 2025, arXiv 2505.24133, by the authors'
// code, rkv/compression/r1_kv.py of github.com/Zefan-Cai/R-KV): λ·importance − (1 − λ)·redundancy.
// Importance: the weights that each of the last `window` queries gives to the states before the window,
// divided by their sum, mean over those queries, and of neighbouring tokens the largest; redundancy:
// key_redundancy.h, over all states. The window itself stays.
//
// Head-wise as there; `heads: layer_wise` takes means of weights and cosines over the layer's heads.
// Otherwise than there, one state goes at every token (there k + 128 become k once in 128 tokens, `piece:
// 128` for a prompt), and query heads that share a key head are averaged by their weights, not by their
// largest logit. Beside its keys and values a lane keeps a number for each pair of slots: 4(k + 1)·(k + 17)
// bytes, and 4n² while a prompt of n tokens is read that is dropped from at its end.
#pragma once

#include "cache/policy.h"

namespace attnlab {

struct RkvOptions final : PolicyOptions {
  RkvOptions() { heads = Heads::head_wise; }
  double lambda = 0.07;
  double threshold = 0.5;
  int64_t window = 0;
  int64_t pool = 7;

  void visit(Fields& f) override {
    visit_heads(f);
    f("lambda", lambda, Range{0, 1},
      "share of importance in a score; the rest is redundancy's (code: 0.07; paper: 0.1)");
    f("threshold", threshold, Range{-1, 1}, "keys whose cosine is larger are alike (code: 0.5)");
    f("window", window, Range{0, 1 << 16},
      "last queries that are observed, fewer than k (code: 8); 0: 8, or ⌊k/2⌋ where that is less");
    f("pool", pool, Range{1, 1001}, "neighbouring tokens of which importance is the largest, odd (code: 7)");
    f.require(pool % 2 == 1, "pool", "the pooling spans an odd number of neighbours, centred on a state");
  }
  PolicyNeeds needs() const override { return {.figure = SlotFigure::newest_cosine}; }
  /// Throws UserError where k is not larger than a window that was asked for.
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
};

}  // namespace attnlab
