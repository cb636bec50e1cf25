// Running text cut into sentences: the haystack that needles are hidden in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/documents.h"

namespace attnlab {

/// Words of texts one after another with one space between, and where their sentences begin. A sentence ends
/// with a full stop, question or exclamation mark, quotes and brackets behind it aside, before a word that
/// does not begin in lower case; not with a common abbreviation ("Mr.") or an initial. RULER asks NLTK's
/// punkt, which knows more.
class Essay {
 public:
  /// The first `words` words of the texts in their order; where these are fewer, they are repeated from the
  /// first. No more texts are read than it takes. Throws UserError where there is no word in any.
  Essay(const Documents& texts, int64_t words);

  int64_t words() const { return static_cast<int64_t>(word_ends_.size()); }
  const std::string& text() const { return text_; }
  /// Sentences of the first `words` words, the last of which may be cut short.
  int64_t sentences(int64_t words) const;
  /// The sentences [first, last) of the first `words` words.
  std::string_view part(int64_t first, int64_t last, int64_t words) const;

 private:
  void add(std::string_view text, int64_t most);
  void repeat(int64_t most);
  void add_word(std::string_view word);

  std::string text_;
  std::vector<std::size_t> word_ends_;    ///< offsets in the text
  std::vector<int64_t> sentence_starts_;  ///< the numbers of their first words, ascending
};

}  // namespace attnlab
