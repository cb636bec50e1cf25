// The rules by which texts are cut before their bytes are merged, each written out by hand: no engine for
// regular expressions, whose classes would be those of another version of Unicode.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace attnlab {

enum class SplitRule {
  digits,      ///< every digit is a piece
  digit_runs,  ///< every run of digits is one
  gpt2,        ///< ByteLevel's own expression
  llama3,      ///< up to three digits a piece
  qwen2,       ///< the same with one
  tekken,      ///< Mistral-Nemo's, which looks at upper and lower case
};

/// The rule that a regular expression states, recognised by its exact text.
std::optional<SplitRule> known_pattern(std::string_view regex);

/// Bytes of the first piece of well-formed UTF-8 that is not empty. Each piece is looked at as if nothing
/// followed the end of the text.
std::size_t first_piece(SplitRule rule, std::string_view text);

}  // namespace attnlab
