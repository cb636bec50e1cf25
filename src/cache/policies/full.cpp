#include "cache/policies/full.h"

#include "core/error.h"

namespace attnlab {

void FullOptions::visit(Fields& f) {
  f("step", step, {{"native", FullStep::native}, {"torch", FullStep::torch}},
    "on the CPU in fp32: native: the kernels of bounded caches; torch: scaled_dot_product_attention");
}

std::unique_ptr<Policy> FullOptions::build(const PolicyShape&) const {
  ensure(false, "no scores to be asked of a cache that keeps everything");
  return nullptr;
}

}  // namespace attnlab
