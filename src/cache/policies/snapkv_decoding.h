// SnapKV's score at every token instead of once after the prompt, as caches that are pruned while decoding
// use it (SnapKV-D): the weights of the last `window` queries summed, averaged over neighbouring tokens; the
// window itself stays. The score is SnapKV's (Li et al. 2024, arXiv 2404.14469, §4), its use at every step is
// not theirs.
#pragma once

#include "cache/policy.h"

namespace attnlab {

struct SnapKvDecodingOptions final : PolicyOptions {
  SnapKvDecodingOptions() { heads = Heads::head_wise; }
  int64_t window = 0;
  int64_t pool = 5;

  void visit(Fields& f) override {
    visit_heads(f);
    f("window", window, Range{0, 1 << 16},
      "last queries that are observed, fewer than k (SnapKV: 32 or 64); 0: 32, or ⌊k/2⌋ where that is less");
    f("pool", pool, Range{1, 1001},
      "neighbouring tokens that a score is averaged over, odd (SnapKV: 5 or 7)");
    f.require(pool % 2 == 1, "pool", "the pooling spans an odd number of neighbours, centred on a state");
  }
  /// Throws UserError where k is not larger than a window that was asked for.
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
};

}  // namespace attnlab
