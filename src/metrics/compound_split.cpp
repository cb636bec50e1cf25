#include "metrics/compound_split.h"

#include <algorithm>

namespace attnlab {
namespace {

bool is_ascii_space(char32_t c) { return c == U' ' || (U'\t' <= c && c <= U'\r'); }

}  // namespace

std::u32string without_subwords(std::u32string_view tokens) {
  constexpr std::u32string_view mark = U"@@";
  std::u32string text;
  while (!tokens.empty()) {
    const bool ends_piece = tokens.substr(0, 2) == mark && (tokens.size() == 2 || tokens[2] == U' ');
    if (!ends_piece) text += tokens.front();
    tokens.remove_prefix(ends_piece ? std::min<std::size_t>(3, tokens.size()) : 1);
  }
  return text;
}

std::u32string compound_split(std::u32string_view tokens) {
  const std::u32string text = without_subwords(tokens);
  std::u32string split;
  for (std::size_t i = 0; i < text.size(); ++i) {
    split += text[i];
    if (i + 2 >= text.size() || text[i + 1] != U'-') continue;
    if (is_ascii_space(text[i]) || is_ascii_space(text[i + 2])) continue;
    split += U" ##AT##-##AT## ";
    split += text[i += 2];
  }
  return split;
}

}  // namespace attnlab
