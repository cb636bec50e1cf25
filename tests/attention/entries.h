// The attentions that enter the test matrix. A new attention adds one line to entries() in entries.cpp.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "attention/attention.h"
#include "attention/reference.h"

namespace attnlab {

struct AttentionEntry {
  std::string name;  ///< <name in the registry>[_<variant>]
  std::function<std::shared_ptr<AttentionOptions>()> options;
  std::function<reference::Result(const reference::Weights&, int heads, const reference::Sentence&)>
      reference;
  bool has_weights = true;  ///< attention weights exist, so that dropout has something to drop
};

inline void PrintTo(const AttentionEntry& entry, std::ostream* out) { *out << entry.name; }

std::vector<AttentionEntry> entries();

}  // namespace attnlab
