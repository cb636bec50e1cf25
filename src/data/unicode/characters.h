// What tokenizers ask of a character. The tables are what Hugging Face's `tokenizers` answers
// (make_tables.py).
#pragma once

#include <cstdint>
#include <string_view>

namespace attnlab {

/// Bits of character_classes().
enum CharacterClass : uint16_t {
  is_letter = 1,        ///< \p{L}
  is_number = 2,        ///< \p{N}
  is_space = 4,         ///< \s
  is_upper = 8,         ///< \p{Lu}, \p{Lt}
  is_lower = 16,        ///< \p{Ll}
  is_caseless = 32,     ///< \p{Lm}, \p{Lo}, \p{M}
  is_digit = 64,        ///< of the pre-tokeniser Digits, which knows a few more than \p{N}
  is_word = 128,        ///< \w at the edges of added tokens
  may_normalise = 256,  ///< NFC may join it with what stands before, move it or replace it
};

uint16_t character_classes(char32_t code);

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
