#include "metrics/python/text.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "core/utf8.h"

namespace attnlab::python {
namespace {

struct ClassRun {
  char32_t first;
  uint8_t classes;
};
constexpr ClassRun class_runs[] = {
#include "metrics/python/classes.inc"
};

struct Pair {
  char32_t upper, lower;
};
constexpr Pair lower_pairs[] = {
#include "metrics/python/lower.inc"
};

constexpr char32_t replacement = 0xFFFD, capital_sigma = 0x3A3, sigma = 0x3C3, final_sigma = 0x3C2;
constexpr char32_t dotted_capital_i = 0x130, combining_dot = 0x307;

char32_t lower_of(char32_t code) {
  const auto* pair = std::lower_bound(std::begin(lower_pairs), std::end(lower_pairs), code,
                                      [](const Pair& p, char32_t c) { return p.upper < c; });
  return pair != std::end(lower_pairs) && pair->upper == code ? pair->lower : code;
}

/// Whether the nearest character that is not ignorable, from `at` on in steps of `by`, is cased.
bool meets_cased(std::u32string_view text, std::ptrdiff_t at, std::ptrdiff_t by) {
  for (; at >= 0 && at < static_cast<std::ptrdiff_t>(text.size()); at += by) {
    const uint8_t classes = classes_of(text[static_cast<std::size_t>(at)]);
    if (!(classes & is_ignorable)) return (classes & is_cased) != 0;
  }
  return false;
}

}  // namespace

uint8_t classes_of(char32_t code) {
  const auto* behind = std::upper_bound(std::begin(class_runs), std::end(class_runs), code,
                                        [](char32_t c, const ClassRun& run) { return c < run.first; });
  return behind == std::begin(class_runs) ? 0 : std::prev(behind)->classes;
}

std::u32string decoded(std::string_view utf8) {
  std::u32string text;
  while (!utf8.empty()) {
    const std::size_t size = utf8_character(utf8);
    text += size > 0 ? first_character(utf8).code : replacement;
    utf8.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return text;
}

std::string encoded(std::u32string_view text) {
  std::string utf8;
  const auto put = [&](char32_t bits) { utf8 += static_cast<char>(bits); };
  for (const char32_t c : text) {
    if (c < 0x80) {
      put(c);
    } else if (c < 0x800) {
      put(0xC0 | c >> 6), put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
      put(0xE0 | c >> 12), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
    } else {
      put(0xF0 | c >> 18), put(0x80 | (c >> 12 & 0x3F)), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
    }
  }
  return utf8;
}

std::u32string lower(std::u32string_view text) {
  std::u32string low;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto at = static_cast<std::ptrdiff_t>(i);
    if (text[i] == dotted_capital_i) {
      low += U'i';
      low += combining_dot;
    } else if (text[i] == capital_sigma) {
      low += meets_cased(text, at - 1, -1) && !meets_cased(text, at + 1, 1) ? final_sigma : sigma;
    } else {
      low += lower_of(text[i]);
    }
  }
  return low;
}

}  // namespace attnlab::python
