// The policies that enter the test matrix. A new policy adds one line to entries() in entries.cpp.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "cache/per_step_reference.h"
#include "cache/policy.h"

namespace attnlab {

struct PolicyEntry {
  std::string name;  ///< <name in the registry>[_<variant>]
  std::function<std::shared_ptr<PolicyOptions>()> options;
  reference::Rule rule;
  bool once = false;  ///< drops once, at the end of the prompt
  decltype(reference::Setting::dropped) dropped = reference::Setting::forgotten;
};

inline void PrintTo(const PolicyEntry& entry, std::ostream* out) { *out << entry.name; }

std::vector<PolicyEntry> entries();

}  // namespace attnlab
