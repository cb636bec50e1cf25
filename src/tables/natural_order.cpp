#include "tables/natural_order.h"

namespace attnlab {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Of the number at a place: its digits, and where it ends. `1,024` is one number.
struct Number {
  std::string digits;
  std::size_t end;
};

Number number_at(const std::string& text, std::size_t at) {
  const auto digit = [&](std::size_t i) { return i < text.size() && is_digit(text[i]); };
  std::size_t end = at;
  while (digit(end)) ++end;
  std::string digits = text.substr(at, end - at);
  if (digits.size() > 3) return {digits, end};
  while (end < text.size() && text[end] == ',' && digit(end + 1) && digit(end + 2) && digit(end + 3) &&
         !digit(end + 4)) {
    digits += text.substr(end + 1, 3);
    end += 4;
  }
  return {digits, end};
}

}  // namespace

bool naturally_before(const std::string& a, const std::string& b) {
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const Number one = number_at(a, i), other = number_at(b, j);
      if (one.digits.size() != other.digits.size()) return one.digits.size() < other.digits.size();
      if (one.digits != other.digits) return one.digits < other.digits;
      i = one.end, j = other.end;
    } else if (a[i] != b[j]) {
      return a[i] < b[j];
    } else {
      ++i, ++j;
    }
  }
  return a.size() < b.size();
}

}  // namespace attnlab
