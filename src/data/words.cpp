#include "data/words.h"

#include <algorithm>

namespace attnlab {
namespace {

/// Bytes of the white-space character at the start of `rest`; 0 where there is none. The characters are those
/// for which Python's str.isspace() holds.
std::size_t white_space(std::string_view rest) {
  const auto byte = [&](std::size_t i) { return i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0U; };
  const unsigned a = byte(0), b = byte(1), c = byte(2);
  if (a == ' ' || (a >= 0x09 && a <= 0x0D) || (a >= 0x1C && a <= 0x1F)) return 1;
  if (a == 0xC2) return b == 0x85 || b == 0xA0 ? 2 : 0;  // U+0085, U+00A0
  if (a == 0xE1) return b == 0x9A && c == 0x80 ? 3 : 0;  // U+1680
  if (a == 0xE3) return b == 0x80 && c == 0x80 ? 3 : 0;  // U+3000
  if (a == 0xE2 && b == 0x80) return (c >= 0x80 && c <= 0x8A) || c == 0xA8 || c == 0xA9 || c == 0xAF ? 3 : 0;
  if (a == 0xE2 && b == 0x81) return c == 0x9F ? 3 : 0;  // U+205F
  return 0;
}

/// Whether the character that ends before byte i is white space, or there is none.
bool after_white_space(std::string_view text, std::size_t i) {
  for (std::size_t size = 1; size <= 3 && size <= i; ++size)
    if (white_space(text.substr(i - size, size)) == size) return true;
  return i == 0;
}

}  // namespace

int64_t count_words(std::string_view text, int64_t begin, int64_t end) {
  const auto last = std::min(static_cast<std::size_t>(end), text.size());
  int64_t words = 0;
  for (auto i = static_cast<std::size_t>(begin); i < last;) {
    const std::size_t gap = white_space(text.substr(i));
    if (gap == 0 && after_white_space(text, i)) ++words;
    i += std::max<std::size_t>(gap, 1);
  }
  return words;
}

std::string_view stripped(std::string_view text) {
  while (const std::size_t gap = white_space(text)) text.remove_prefix(gap);
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t gap = white_space(text.substr(i));
    i += std::max<std::size_t>(gap, 1);
    if (gap == 0) end = i;
  }
  return text.substr(0, end);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size();) {
    const std::size_t gap = white_space(text.substr(i));
    if (gap == 0 && i < text.size()) {
      ++i;
      continue;
    }
    if (i > begin) words.push_back(text.substr(begin, i - begin));
    begin = i += std::max<std::size_t>(gap, 1);
  }
  return words;
}

}  // namespace attnlab
