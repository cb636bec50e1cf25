// Words of configuration files that have given way to the field's own. Files that hold a former one are read
// all the same, with a line in the log.
#pragma once

#include <array>
#include <string_view>

namespace attnlab {

/// A value of the key of this name, wherever it stands.
struct FormerWord {
  std::string_view key, former, now;
};

inline constexpr std::array<FormerWord, 4> former_words = {{
    {"heads", "together", "layer_wise"},
    {"heads", "apart", "head_wise"},
    {"implementation", "textbook", "eager"},
    {"implementation", "fused", "sdpa"},
}};

/// What the word is called now: itself, unless another has taken its place.
inline std::string_view word_now(std::string_view key, std::string_view word) {
  for (const FormerWord& f : former_words)
    if (f.key == key && f.former == word) return f.now;
  return word;
}

/// What the word was called: itself, unless it has taken another's place.
inline std::string_view former_word(std::string_view key, std::string_view word) {
  for (const FormerWord& f : former_words)
    if (f.key == key && f.now == word) return f.former;
  return word;
}

}  // namespace attnlab
