#include "data/essay.h"

#include <algorithm>

#include "core/error.h"

namespace attnlab {
namespace {

constexpr std::string_view kAbbreviations[] = {"mr.",  "mrs.",  "ms.",  "messrs.", "dr.",    "st.",  "rev.",
                                               "hon.", "capt.", "col.", "gen.",    "lieut.", "lt.",  "maj.",
                                               "sgt.", "prof.", "no.",  "vol.",    "chap.",  "fig.", "viz.",
                                               "i.e.", "e.g.",  "cf.",  "p.",      "pp.",    "vs."};
constexpr std::string_view kClosing[] = {"\"", "'", ")", "]", "}", "_", "*", "”", "’", "»"};
constexpr std::string_view kOpening[] = {"\"", "'", "(", "[", "{", "_", "*", "“", "‘", "«"};

bool is_ascii_space(char c) { return c == ' ' || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f); }

std::string_view without_closing(std::string_view word) {
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view mark : kClosing)
      if (word.ends_with(mark)) word.remove_suffix(mark.size()), again = true;
  }
  return word;
}

std::string_view without_opening(std::string_view word) {
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view mark : kOpening)
      if (word.starts_with(mark)) word.remove_prefix(mark.size()), again = true;
  }
  return word;
}

bool is_abbreviation(std::string_view word) {
  if (word.size() == 2 && word[0] >= 'A' && word[0] <= 'Z' && word[1] == '.') return true;  // an initial
  std::string small(word);
  for (char& c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return std::ranges::find(kAbbreviations, small) != std::end(kAbbreviations);
}

bool ends_sentence(std::string_view word, std::string_view next) {
  const std::string_view bare = without_closing(word);
  if (!bare.ends_with('.') && !bare.ends_with('?') && !bare.ends_with('!')) return false;
  if (is_abbreviation(without_opening(bare))) return false;
  const std::string_view begin = without_opening(next);
  return begin.empty() || begin[0] < 'a' || begin[0] > 'z';
}

}  // namespace

Essay::Essay(const Documents& texts, int64_t words) {
  for (int64_t i = 0; i < texts.size() && this->words() < words; ++i) add(texts.read(i).text, words);
  if (word_ends_.empty()) user_error("there is no word in {}", texts.read(0).origin);
  repeat(words);
}

void Essay::add(std::string_view text, int64_t most) {
  for (std::size_t i = 0; i < text.size() && words() < most;) {
    const std::size_t begin = i;
    while (i < text.size() && !is_ascii_space(text[i])) ++i;
    if (i > begin)
      add_word(text.substr(begin, i - begin));
    else
      ++i;
  }
}

void Essay::repeat(int64_t most) {
  for (std::size_t i = 0; words() < most; ++i) {
    const std::size_t begin = i == 0 ? 0 : word_ends_[i - 1] + 1;
    add_word(std::string(text_, begin, word_ends_[i] - begin));
  }
}

void Essay::add_word(std::string_view word) {
  const std::size_t last = word_ends_.size() < 2 ? 0 : word_ends_[word_ends_.size() - 2] + 1;
  if (word_ends_.empty() || ends_sentence(std::string_view(text_).substr(last), word))
    sentence_starts_.push_back(words());
  if (!text_.empty()) text_ += ' ';
  text_ += word;
  word_ends_.push_back(text_.size());
}

int64_t Essay::sentences(int64_t words) const {
  return std::ranges::lower_bound(sentence_starts_, words) - sentence_starts_.begin();
}

std::string_view Essay::part(int64_t first, int64_t last, int64_t words) const {
  if (first == last) return {};
  const int64_t from = sentence_starts_.at(static_cast<std::size_t>(first));
  const int64_t to = last == sentences(words) ? words : sentence_starts_.at(static_cast<std::size_t>(last));
  const std::size_t begin = from == 0 ? 0 : word_ends_[static_cast<std::size_t>(from - 1)] + 1;
  return std::string_view(text_).substr(begin, word_ends_.at(static_cast<std::size_t>(to - 1)) - begin);
}

}  // namespace attnlab
