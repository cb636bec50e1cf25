// Keeps everything: the topline.
#pragma once

#include "cache/policy.h"

namespace attnlab {

/// What answers one query at a time on the CPU in fp32: the fused pass that serves bounded states as well, or
/// Torch's scaled_dot_product_attention, to compare with.
enum class FullStep { native, torch };

struct FullOptions final : PolicyOptions {
  FullStep step = FullStep::native;

  void visit(Fields& f) override;
  bool unbounded() const override { return true; }
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
};

}  // namespace attnlab
