#include "data/token_kinds.h"

#include <algorithm>
#include <optional>

#include "core/utf8.h"
#include "data/unicode/characters.h"

namespace attnlab {
namespace {

constexpr char32_t kReplacement = 0xFFFD;  // of bytes that are no character

bool all_are(std::string_view text, auto&& holds) {
  for (; !text.empty(); text.remove_prefix(first_character(text).size))
    if (!holds(first_character(text).code)) return false;
  return true;
}

bool is_a(char32_t code, uint16_t classes) { return (character_classes(code) & classes) != 0; }
bool is_blank(char32_t code) { return is_a(code, is_space); }
bool is_mark(char32_t code) { return code != kReplacement && !is_a(code, is_letter | is_number | is_space); }

std::string_view without_space(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

bool is_apostrophe(std::string_view text) { return text == "'" || text == "’"; }

/// A chunk's texts as one token sees them.
struct Place {
  std::span<const std::string> texts;
  std::size_t at;

  std::string_view text() const { return texts[at]; }
  std::string_view before() const { return at > 0 ? std::string_view(texts[at - 1]) : ""; }
  std::string_view after(std::size_t by = 1) const {
    return at + by < texts.size() ? std::string_view(texts[at + by]) : "";
  }
};

bool is_possessive(const Place& p) {
  const auto ends_word = [](std::string_view next) {
    return next.empty() || !is_a(first_character(next).code, is_letter | is_number);
  };
  const std::string_view word = without_space(p.text());
  if (word == "'s" || word == "’s") return ends_word(p.after());
  if (p.text() == "s" && is_apostrophe(p.before())) return ends_word(p.after());
  return is_apostrophe(p.text()) && p.after() == "s" && ends_word(p.after(2));
}

/// Whether a straight quote after this text opens.
bool opens_after(std::string_view before) {
  if (before.empty()) return true;
  const char32_t code = last_character(before).code;
  return is_blank(code) || code == U'(' || code == U'[';
}

/// Whether “ after this text closes, as it does in German („so“): there a word or the end of a sentence comes
/// before it, in English a space, a bracket, a dash or another quote.
bool closes_after(std::string_view before) {
  if (before.empty()) return false;
  const char32_t code = last_character(before).code;
  return is_a(code, is_letter | is_number) ||
         std::u32string_view(U".,!?…:;)]%").find(code) != std::u32string_view::npos;
}

std::optional<TokenKind> quote_of(const Place& p) {
  const std::string_view text = p.text();
  if (!all_are(without_space(text), is_mark)) return std::nullopt;
  const auto before = [&](std::size_t at) { return at > 0 ? text.substr(0, at) : p.before(); };
  if (text.find("”") != text.npos) return TokenKind::closing_quote;
  if (text.find("„") != text.npos) return TokenKind::opening_quote;
  if (const std::size_t at = text.find("“"); at != text.npos)
    return closes_after(before(at)) ? TokenKind::closing_quote : TokenKind::opening_quote;
  const std::size_t at = text.find('"');
  if (at == text.npos) return std::nullopt;
  return opens_after(before(at)) ? TokenKind::opening_quote : TokenKind::closing_quote;
}

std::optional<TokenKind> mark_of(std::string_view word) {
  if (word == ".") return TokenKind::period;
  if (word == ",") return TokenKind::comma;
  if (word == "$") return TokenKind::dollar;
  if (word == ")") return TokenKind::closing_bracket;
  if (word == "(") return TokenKind::opening_bracket;
  return std::nullopt;
}

TokenKind kind_of(const Place& p) {
  if (p.text().empty()) return TokenKind::no_text;
  if (all_are(p.text(), is_blank))
    return p.text().find_first_of("\n\r") != p.text().npos ? TokenKind::newline : TokenKind::other;
  const std::string_view word = without_space(p.text());
  if (is_possessive(p)) return TokenKind::possessive;
  if (const auto quote = quote_of(p)) return *quote;
  if (const auto mark = mark_of(word)) return *mark;
  if (all_are(word, [](char32_t code) { return is_a(code, is_number); })) return TokenKind::digits;
  if (all_are(word, is_mark)) return TokenKind::punctuation;
  return is_a(first_character(word).code, is_upper) ? TokenKind::capitalised : TokenKind::other;
}

/// decode() leaves out the space before a text's first word where the tokenizer adds one: here it counts.
std::string text_of_token(const Tokenizer& tokenizer, int64_t id) {
  const std::string text = tokenizer.decode(std::span(&id, 1));
  return tokenizer.bytes_of(id) == static_cast<int64_t>(text.size()) + 1 ? " " + text : text;
}

}  // namespace

std::vector<TokenKind> kinds_of(std::span<const std::string> texts) {
  std::vector<TokenKind> kinds;
  for (std::size_t i = 0; i < texts.size(); ++i) kinds.push_back(kind_of({texts, i}));
  return kinds;
}

std::vector<TokenKind> kinds_of(const Tokenizer& tokenizer, std::span<const int64_t> ids) {
  std::vector<std::string> texts;
  for (const int64_t id : ids) texts.push_back(text_of_token(tokenizer, id));
  return kinds_of(texts);
}

}  // namespace attnlab
