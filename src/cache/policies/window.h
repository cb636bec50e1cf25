// First in, first out. With `protect_first: i` of the cache it is window+i: the first i states and the most
// recent k − i. StreamingLLM's sinks (Xiao et al. 2023, arXiv 2309.17453) keep the same set, but count
// positions inside the cache.
#pragma once

#include "cache/policy.h"

namespace attnlab {

struct WindowOptions final : PolicyOptions {
  PolicyNeeds needs() const override { return {.weights = false, .plain = PlainRule::oldest}; }
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
};

}  // namespace attnlab
