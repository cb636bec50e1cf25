// Texts as Python's strings see them, for evaluators whose rules are written in it. The tables are Python's
// own answers (make_tables.py).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace attnlab::python {

/// Bits of classes_of().
enum CharacterClass : uint8_t {
  is_word = 1,          ///< \w of re: letters, digits, the underscore
  is_space = 2,         ///< str.isspace(), which str.split() goes by
  is_cased = 4,         ///< where a capital sigma ends a word behind it
  is_ignorable = 8,     ///< where that is decided by what stands before
  is_punctuation = 16,  ///< \p{P} of the package regex
  is_symbol = 32,       ///< its \p{S}
  is_number = 64,       ///< its \p{N}
};
uint8_t classes_of(char32_t code);

/// Code points; a byte that belongs to no well-formed character is U+FFFD.
std::u32string decoded(std::string_view utf8);
std::string encoded(std::u32string_view text);

/// str.lower(): all of Unicode, the final sigma and the dotted capital I included.
std::u32string lower(std::u32string_view text);

}  // namespace attnlab::python
