// The order in which people list names.
#pragma once

#include <string>

namespace attnlab {

/// Luna-16 before Luna-128, 256 tokens before 1,024: numbers are compared as such.
bool naturally_before(const std::string& a, const std::string& b);

}  // namespace attnlab
