// UTF-8 well-formedness (Unicode 15, table 3-7).
#pragma once

#include <string_view>

namespace attnlab {

/// True when `bytes` is well-formed UTF-8: no overlong forms, surrogates or cut sequences.
bool is_utf8(std::string_view bytes);

}  // namespace attnlab
