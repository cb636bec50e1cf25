#include "config/scalars.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <regex>

#include "core/error.h"

namespace attnlab {
namespace {

bool is_plain(const Tree& tree) { return tree.kind == Tree::Kind::scalar && !tree.quoted; }

/// std::from_chars over the whole text, which takes no leading '+'.
template <class Number>
std::optional<Number> whole_text(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_integer_literal(const std::string& text) {
  static const std::regex form("[+-]?(0|[1-9][0-9]*)");
  return std::regex_match(text, form);
}

bool is_float_literal(const std::string& text) {
  static const std::regex form(R"([+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?)");
  constexpr std::size_t longest = 64;  // std::regex recurses once a character
  return text.size() <= longest && std::regex_match(text, form);
}

/// Text in single quotes for a message: one line, not too long.
std::string shown(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string out;
  for (const char c : text.substr(0, longest)) out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  return "'" + out + (text.size() > longest ? "…'" : "'");
}

}  // namespace

std::optional<bool> to_bool(const Tree& tree) {
  if (!is_plain(tree)) return std::nullopt;
  if (tree.text == "true") return true;
  if (tree.text == "false") return false;
  return std::nullopt;
}

std::optional<double> to_double(const Tree& tree) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (!is_plain(tree)) return std::nullopt;
  if (tree.text == ".inf" || tree.text == "+.inf") return infinity;
  if (tree.text == "-.inf") return -infinity;
  if (!is_float_literal(tree.text)) return std::nullopt;
  return whole_text<double>(tree.text);
}

std::optional<int64_t> to_integer(const Tree& tree) {
  constexpr double exact = 9007199254740992.0;  // 2^53: doubles hold every integer up to here
  if (!is_plain(tree)) return std::nullopt;
  if (tree.text.size() <= 20 && is_integer_literal(tree.text)) return whole_text<int64_t>(tree.text);
  const auto value = to_double(tree);
  if (!value || std::trunc(*value) != *value || std::abs(*value) > exact) return std::nullopt;
  return static_cast<int64_t>(*value);
}

bool looks_octal(const Tree& tree) {
  std::string_view digits = tree.text;
  if (!is_plain(tree) || digits.empty()) return false;
  if (digits[0] == '+' || digits[0] == '-') digits.remove_prefix(1);
  return digits.size() > 1 && digits[0] == '0' &&
         digits.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string in_words(const Tree& tree) {
  if (tree.kind == Tree::Kind::null) return "nothing";
  if (tree.kind == Tree::Kind::list) return "a list";
  if (tree.kind == Tree::Kind::map) return "a map of keys";
  if (to_bool(tree) || to_double(tree)) return tree.text;
  return "the text " + shown(tree.text);
}

std::string to_text(double value) {
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  const double size = std::abs(value);
  const bool fixed = size == 0 || (size >= 1e-4 && size < 1e15);
  std::array<char, 64> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                          fixed ? std::chars_format::fixed : std::chars_format::scientific);
  ensure(error == std::errc(), "a double to fit into 64 characters");
  std::string text(buffer.data(), end);
  if (text.find('.') == std::string::npos && std::isfinite(value))
    text.insert(std::min(text.find('e'), text.size()), ".0");
  return text;
}

std::string quoted_if_needed(std::string_view text) {
  static const std::array<std::string_view, 10> taken = {"y",   "n",    "yes",   "no",   "on",
                                                         "off", "true", "false", "null", "~"};
  const auto is_word_character = [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '/' || c == '.' || c == '-';
  };
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const bool plain = !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) || text[0] == '/') &&
                     std::all_of(text.begin(), text.end(), is_word_character) &&
                     std::find(taken.begin(), taken.end(), lower) == taken.end();
  if (plain) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", c);
    else if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + "\"";
}

}  // namespace attnlab
