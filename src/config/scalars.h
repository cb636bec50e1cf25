// Scalars to values and back, by our own rules: yaml-cpp's conversions read 010 as 8, refuse 1e3 as an
// integer and fall back silently.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/tree.h"

namespace attnlab {

/// true or false, nothing else.
std::optional<bool> to_bool(const Tree& tree);

/// A number in decimal notation: 12, -3, 1.5, 1e-3, .inf. No quotes, no octal-looking 010, no hexadecimal, no
/// NaN.
std::optional<double> to_double(const Tree& tree);

/// A whole number; 1e3 is one. Beyond 64 bits it is none.
std::optional<int64_t> to_integer(const Tree& tree);

/// Whether it is digits that begin with a superfluous 0: octal to some readers, decimal to others.
bool looks_octal(const Tree& tree);

/// A tree in words, for "expected …, got …": "the text 'abc'", "a list", "nothing".
std::string in_words(const Tree& tree);

/// The fewest digits that read back to the same double, always with a point so that every YAML reader takes
/// it for a float: 1.0, 0.1, 1.0e-05, .inf.
std::string to_text(double value);

/// Text as a YAML scalar, quoted where some reader of YAML would take it for something else.
std::string quoted_if_needed(std::string_view text);

}  // namespace attnlab
