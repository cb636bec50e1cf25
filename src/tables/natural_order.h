// The order in which people list names.
#pragma once

#include <string>

namespace attnlab {

/// Luna-16 before Luna-128: runs of digits are compared as numbers.
bool naturally_before(const std::string& a, const std::string& b);

}  // namespace attnlab
