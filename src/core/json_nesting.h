// A guard for JSON of somebody else's making.
#pragma once

#include <string_view>

namespace attnlab {

/// Deeper than anything that is read here, and far from the end of a stack.
inline constexpr int deepest_json = 64;

/// Whether brackets of the text stand inside one another more than `deepest_json` deep. nlohmann's parser
/// takes any depth, but copying and printing what it read recurse, and a file of a million brackets ends the
/// process.
bool nests_too_deeply(std::string_view json);

}  // namespace attnlab
