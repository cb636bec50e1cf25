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

struct Character {
  char32_t code;
  std::size_t size;  ///< bytes
};

/// The first character of well-formed UTF-8 that is not empty.
inline Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto more = [&](std::size_t i) { return static_cast<char32_t>(byte(i) & 0x3f); };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xe0) return {(lead & 0x1f) << 6 | more(1), 2};
  if (lead < 0xf0) return {(lead & 0xf) << 12 | more(1) << 6 | more(2), 3};
  return {(lead & 7) << 18 | more(1) << 12 | more(2) << 6 | more(3), 4};
}

/// The last one.
inline Character last_character(std::string_view text) {
  std::size_t begin = text.size() - 1;
  while ((static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80) --begin;
  return first_character(text.substr(begin));
}

}  // namespace attnlab
