// str.split() and str.rstrip().
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attnlab::python {

/// What stands between runs of white space.
std::vector<std::u32string> split(std::u32string_view text);
std::u32string_view right_stripped(std::u32string_view text);

}  // namespace attnlab::python
