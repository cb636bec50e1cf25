// Keeps everything: the topline.
#pragma once

#include "cache/policy.h"

namespace attnlab {

struct FullOptions final : PolicyOptions {
  bool unbounded() const override { return true; }
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
};

}  // namespace attnlab
