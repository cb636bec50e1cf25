// What tokenizers ask of a character. The tables are what Hugging Face's `tokenizers` answers
// (make_tables.py).
#pragma once

#include <cstdint>

#include "core/utf8.h"

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

}  // namespace attnlab
