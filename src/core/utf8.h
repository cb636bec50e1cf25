// UTF-8 well-formedness (Unicode 15, table 3-7).
#pragma once

#include <cstddef>
#include <string_view>

namespace attnlab {

/// How many bytes the well-formed character has that `bytes` begins with; 0 where there is none: an overlong
/// form, a surrogate, a cut sequence, a stray byte, nothing.
std::size_t utf8_character(std::string_view bytes);

/// Where the first byte stands that belongs to no well-formed character; the size where there is none.
std::size_t first_stray_byte(std::string_view bytes);

/// True when all of `bytes` is well-formed UTF-8.
bool is_utf8(std::string_view bytes);

}  // namespace attnlab
