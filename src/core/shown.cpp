#include "core/shown.h"

#include <fmt/format.h>

#include "core/utf8.h"

namespace attnlab {
namespace {

std::string escape(char byte) { return fmt::format("\\x{:02x}", static_cast<unsigned char>(byte)); }

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

/// Whether `text` begins with what escape() gives for some byte.
bool begins_as_escape(std::string_view text) {
  return text.size() >= 4 && text.starts_with("\\x") && is_hex(text[2]) && is_hex(text[3]);
}

/// `must_escape` decides about the character that its argument begins with, of those that UTF-8 allows.
template <class MustEscape>
std::string escaped(std::string_view text, MustEscape must_escape) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = utf8_character(text);
    if (size == 0 || (size == 1 && must_escape(text)))
      out += escape(text.front());
    else
      out += text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

}  // namespace

std::string shown_name(std::string_view name) {
  return escaped(name,
                 [](std::string_view rest) { return is_control(rest.front()) || begins_as_escape(rest); });
}

std::string printable(std::string_view message) {
  return escaped(message, [](std::string_view rest) {
    return is_control(rest.front()) && rest.front() != '\n' && rest.front() != '\t';
  });
}

}  // namespace attnlab
