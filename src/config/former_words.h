// Words of configuration files that have given way to the field's own. Files that hold a former one are read
// all the same, with a line in the log.
#pragma once

#include <algorithm>
#include <array>
#include <string>
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

/// What has taken the word's place; empty where nothing has.
inline std::string word_now(std::string_view key, std::string_view word) {
  const auto found = std::find_if(former_words.begin(), former_words.end(),
                                  [&](const FormerWord& f) { return f.key == key && f.former == word; });
  return found == former_words.end() ? std::string() : std::string(found->now);
}

/// The word whose place this one has taken; empty where it has taken none.
inline std::string former_word(std::string_view key, std::string_view word) {
  const auto found = std::find_if(former_words.begin(), former_words.end(),
                                  [&](const FormerWord& f) { return f.key == key && f.now == word; });
  return found == former_words.end() ? std::string() : std::string(found->former);
}

}  // namespace attnlab
