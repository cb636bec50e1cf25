#include "metrics/python/words.h"

#include "metrics/python/text.h"

namespace attnlab::python {
namespace {

bool is_white(char32_t c) { return (classes_of(c) & is_space) != 0; }

}  // namespace

std::vector<std::u32string> split(std::u32string_view text) {
  std::vector<std::u32string> words;
  bool within = false;
  for (const char32_t c : text) {
    const bool white = is_white(c);
    if (!white && !within) words.emplace_back();
    if (!white) words.back() += c;
    within = !white;
  }
  return words;
}

std::u32string_view right_stripped(std::u32string_view text) {
  while (!text.empty() && is_white(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace attnlab::python
