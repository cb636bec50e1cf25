#include "metrics/repetition.h"

#include <limits>
#include <set>

namespace attnlab {
namespace {

template <class Item>
double distinct_share(std::span<const Item> items, int64_t n) {
  const auto length = static_cast<int64_t>(items.size());
  if (n < 1 || length < n) return std::numeric_limits<double>::quiet_NaN();
  std::set<std::vector<Item>> seen;
  for (int64_t i = 0; i + n <= length; ++i) seen.emplace(items.begin() + i, items.begin() + i + n);
  return static_cast<double>(seen.size()) / static_cast<double>(length - n + 1);
}

}  // namespace

double distinct(std::span<const int64_t> ids, int64_t n) { return distinct_share(ids, n); }
double distinct(std::span<const std::string> words, int64_t n) { return distinct_share(words, n); }

std::vector<std::string> white_space_words(std::string_view text) {
  constexpr std::string_view spaces = " \t\n\v\f\r";
  std::vector<std::string> words;
  for (std::size_t begin = text.find_first_not_of(spaces); begin != text.npos;) {
    const std::size_t end = std::min(text.find_first_of(spaces, begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(spaces, end);
  }
  return words;
}

}  // namespace attnlab
