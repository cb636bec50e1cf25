#include "metrics/string_match.h"

#include <algorithm>

#include "core/error.h"
#include "metrics/python/text.h"

namespace attnlab {
namespace {

bool is_blank(char32_t c) { return (python::classes_of(c) & python::is_space) != 0; }

std::u32string_view stripped(std::u32string_view text) {
  const auto begin = std::find_if_not(text.begin(), text.end(), is_blank);
  const auto end = std::find_if_not(text.rbegin(), std::make_reverse_iterator(begin), is_blank).base();
  return text.substr(static_cast<std::size_t>(begin - text.begin()), static_cast<std::size_t>(end - begin));
}

std::u32string postprocessed(std::string_view prediction) {
  const std::u32string text = python::decoded(prediction);
  std::u32string answer(stripped(text));
  for (char32_t& c : answer)
    if (c < U' ') c = U'\n';
  return std::u32string(stripped(answer));
}

}  // namespace

double string_match_all(std::string_view prediction, std::span<const std::string> references) {
  ensure(!references.empty(), "a reference at least");
  const std::u32string answer = python::lower(postprocessed(prediction));
  const auto found = std::ranges::count_if(references, [&](const std::string& reference) {
    return answer.find(python::lower(python::decoded(reference))) != std::u32string::npos;
  });
  return static_cast<double>(found) / static_cast<double>(references.size());
}

}  // namespace attnlab
