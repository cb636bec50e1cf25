// yaml-cpp's events to our tree. Nodes of yaml-cpp are not used: they keep duplicate keys silently and
// convert by rules of their own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/tree.h"

namespace attnlab {

/// A YAML document as a tree; an empty one is an empty map. `name` is the file in marks, `prefix` the key
/// path in front of the document's own keys. Duplicate and merge keys are added to `problems`. Throws
/// UserError with file and line for what is no YAML, and for YAML that has no place in a configuration: tags,
/// several documents, keys that are no words.
Tree tree_from_yaml(std::string_view text, const std::string& name, const std::string& prefix,
                    std::vector<std::string>& problems);

/// A value given on the command line for the key at `path`; empty text is null. Every mark is the command
/// line's.
Tree value_from_yaml(std::string_view text, const std::string& path, std::vector<std::string>& problems);

}  // namespace attnlab
