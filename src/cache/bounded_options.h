// Options of one bounded layer, resolved from CacheOptions.
#pragma once

#include <memory>

#include "cache/lane.h"

namespace attnlab {

struct BoundedOptions {
  std::shared_ptr<PolicyOptions> policy;
  LaneOptions lane;
  DropAt prompt = DropAt::every_token;  ///< in the first call of attend()
  int64_t piece = 1;                    ///< tokens between droppings where a call brings several
  bool compress_gaps = false;
  uint64_t seed = 0;
};

}  // namespace attnlab
