#include "config/text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace attnlab {
namespace {

std::string bound(double value, bool whole) {
  constexpr double exact = 9007199254740992.0;  // 2^53
  if (whole && std::abs(value) <= exact) return fmt::format("{:.0f}", value);
  std::array<char, 64> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return std::string(buffer.data(), result.ptr);
}

}  // namespace

std::string bounds_in_words(Range range, bool whole) {
  const bool low = std::isfinite(range.low), high = std::isfinite(range.high);
  if (low && high) return fmt::format("between {} and {}", bound(range.low, whole), bound(range.high, whole));
  if (low) return "at least " + bound(range.low, whole);
  if (high) return "at most " + bound(range.high, whole);
  return "";
}

}  // namespace attnlab
