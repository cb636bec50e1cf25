#include "metrics/token_f1.h"

#include <algorithm>
#include <unordered_map>

#include "core/error.h"
#include "metrics/python/text.h"

namespace attnlab {
namespace {

bool is_punctuation(char32_t c) {
  return (U'!' <= c && c <= U'/') || (U':' <= c && c <= U'@') || (U'[' <= c && c <= U'`') ||
         (U'{' <= c && c <= U'~');
}

bool is_article(std::u32string_view word) { return word == U"a" || word == U"an" || word == U"the"; }

bool is_of_word(char32_t c) { return (python::classes_of(c) & python::is_word) != 0; }

/// An article stands between two word boundaries: it is a whole run of word characters.
std::u32string without_articles(std::u32string_view text) {
  std::u32string kept;
  while (!text.empty()) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_of_word);
    const auto size = static_cast<std::size_t>(end - text.begin());
    if (is_article(text.substr(0, size)))
      kept += U' ';
    else
      kept += text.substr(0, std::max<std::size_t>(size, 1));
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return kept;
}

}  // namespace

std::vector<std::string> squad_tokens(std::string_view answer) {
  std::u32string text = python::lower(python::decoded(answer));
  std::erase_if(text, is_punctuation);
  std::vector<std::string> tokens;
  std::u32string token;
  const auto end = [&] {
    if (!token.empty()) tokens.push_back(python::encoded(token));
    token.clear();
  };
  for (const char32_t c : without_articles(text))
    if (python::classes_of(c) & python::is_space)
      end();
    else
      token += c;
  end();
  return tokens;
}

double token_f1(std::string_view prediction, std::string_view reference) {
  const std::vector<std::string> predicted = squad_tokens(prediction), wanted = squad_tokens(reference);
  std::unordered_map<std::string, int64_t> left;
  for (const std::string& token : wanted) ++left[token];
  int64_t same = 0;
  for (const std::string& token : predicted)
    if (const auto found = left.find(token); found != left.end() && found->second > 0) {
      --found->second;
      ++same;
    }
  if (same == 0) return 0;
  const double p = static_cast<double>(same) / static_cast<double>(predicted.size()),
               r = static_cast<double>(same) / static_cast<double>(wanted.size());
  return 2 * p * r / (p + r);
}

double best_token_f1(std::string_view prediction, std::span<const std::string> references) {
  ensure(!references.empty(), "a reference at least");
  double best = 0;
  for (const std::string& reference : references) best = std::max(best, token_f1(prediction, reference));
  return best;
}

}  // namespace attnlab
