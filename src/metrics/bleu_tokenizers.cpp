#include "metrics/bleu_tokenizers.h"

#include "metrics/compound_split.h"
#include "metrics/python/text.h"
#include "metrics/python/words.h"

namespace attnlab {
namespace {

bool has_class(char32_t c, python::CharacterClass wanted) { return (python::classes_of(c) & wanted) != 0; }
bool is_ascii_digit(char32_t c) { return U'0' <= c && c <= U'9'; }
bool is_stop(char32_t c) { return c == U'.' || c == U','; }

/// [\{-\~\[-\` -\&\(-\+\:-\@\/]: ASCII but letters, digits, ' , - and .
bool is_always_apart(char32_t c) {
  return (U'{' <= c && c <= U'~') || (U'[' <= c && c <= U'`') || (U' ' <= c && c <= U'&') ||
         (U'(' <= c && c <= U'+') || (U':' <= c && c <= U'@') || c == U'/';
}

template <class Is>
std::u32string set_apart(std::u32string_view text, const Is& is) {
  std::u32string out;
  for (const char32_t c : text) {
    const bool apart = is(c);
    if (apart) out += U' ';
    out += c;
    if (apart) out += U' ';
  }
  return out;
}

/// A space between the two characters of each match, and one on the other side of the character that is to
/// stand alone. Matches do not overlap, as in re.sub.
enum class Alone { first, second };
template <class First, class Second>
std::u32string parted(std::u32string_view text, const First& first, const Second& second, Alone alone) {
  std::u32string out;
  std::size_t i = 0;
  for (; i + 1 < text.size(); ++i) {
    const bool matches = first(text[i]) && second(text[i + 1]);
    if (matches && alone == Alone::first) out += U' ';
    out += text[i];
    if (!matches) continue;
    out += U' ';
    out += text[++i];
    if (alone == Alone::second) out += U' ';
  }
  if (i < text.size()) out += text[i];
  return out;
}

std::u32string replaced(std::u32string text, std::u32string_view what, std::u32string_view by) {
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

/// In this order, so that "&amp;lt;" becomes "<".
std::u32string without_entities(std::u32string text) {
  if (text.find(U'&') == text.npos) return text;
  text = replaced(std::move(text), U"&quot;", U"\"");
  text = replaced(std::move(text), U"&amp;", U"&");
  text = replaced(std::move(text), U"&lt;", U"<");
  return replaced(std::move(text), U"&gt;", U">");
}

std::u32string cut_13a(std::u32string_view line) {
  std::u32string text = replaced(std::u32string(line), U"<skipped>", U"");
  text = replaced(replaced(std::move(text), U"-\n", U""), U"\n", U" ");
  text = U' ' + without_entities(std::move(text)) + U' ';
  const auto is_no_digit = [](char32_t c) { return !is_ascii_digit(c); };
  text = set_apart(text, is_always_apart);
  text = parted(text, is_no_digit, is_stop, Alone::second);
  text = parted(text, is_stop, is_no_digit, Alone::first);
  return parted(
      text, is_ascii_digit, [](char32_t c) { return c == U'-'; }, Alone::second);
}

std::u32string cut_international(std::u32string_view line) {
  const auto is_no_number = [](char32_t c) { return !has_class(c, python::is_number); };
  const auto is_punctuation = [](char32_t c) { return has_class(c, python::is_punctuation); };
  std::u32string text = parted(line, is_no_number, is_punctuation, Alone::second);
  text = parted(text, is_punctuation, is_no_number, Alone::first);
  return set_apart(text, [](char32_t c) { return has_class(c, python::is_symbol); });
}

}  // namespace

const char* name_of(BleuTokenizer tokenizer) {
  constexpr const char* names[] = {"13a", "intl", "none", "compound-split"};
  return names[static_cast<std::size_t>(tokenizer)];
}

std::vector<std::u32string> bleu_words(std::u32string_view line, BleuTokenizer tokenizer) {
  line = python::right_stripped(line);
  switch (tokenizer) {
    case BleuTokenizer::mteval_13a:
      return python::split(cut_13a(line));
    case BleuTokenizer::international:
      return python::split(cut_international(line));
    case BleuTokenizer::compound_split:
      return python::split(compound_split(line));
    case BleuTokenizer::none:
      break;
  }
  return python::split(line);
}

}  // namespace attnlab
