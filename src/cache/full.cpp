#include "cache/full.h"

#include "core/error.h"

namespace attnlab {

std::unique_ptr<Policy> FullOptions::build(const PolicyShape&) const {
  ensure(false, "no scores to be asked of a cache that keeps everything");
  return nullptr;
}

}  // namespace attnlab
