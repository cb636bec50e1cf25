// Bytes of any kind as something that a terminal, a record and a JSON file can hold.
#pragma once

#include <string>
#include <string_view>

namespace attnlab {

/// A name of a file, which may hold any byte but '/' and NUL, as one line of UTF-8: bytes that are not UTF-8
/// and control characters as \xe9, so that different names stay different (a backslash that such an escape
/// would be read from becomes \x5c). Other names are what they are.
std::string shown_name(std::string_view name);

/// A message with what such bytes it quotes escaped in the same way; its line ends and tabs stand.
std::string printable(std::string_view message);

}  // namespace attnlab
