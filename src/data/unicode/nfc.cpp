#include "data/unicode/nfc.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <unordered_map>
#include <vector>

#include "data/unicode/characters.h"

namespace attnlab {
namespace {

struct CombiningRun {
  char32_t first;
  uint8_t combining_class;
};
constexpr CombiningRun combining_runs[] = {
#include "data/unicode/combining_classes.inc"
};

struct Composition {
  char32_t first, second, composed;
};
constexpr Composition compositions[] = {
#include "data/unicode/compositions.inc"
};

struct Decomposition {
  char32_t code;
  std::array<char32_t, 4> parts;
};
constexpr Decomposition decompositions[] = {
#include "data/unicode/decompositions.inc"
};

// Hangul syllables are computed (Unicode 15, section 3.12).
constexpr char32_t syllables = 0xAC00, leads = 0x1100, vowels = 0x1161, trails = 0x11A7;
constexpr char32_t lead_count = 19, vowel_count = 21, trail_count = 28;

uint8_t combining_class(char32_t code) {
  const auto* after = std::upper_bound(std::begin(combining_runs), std::end(combining_runs), code,
                                       [](char32_t c, const CombiningRun& run) { return c < run.first; });
  return after == std::begin(combining_runs) ? 0 : std::prev(after)->combining_class;
}

uint64_t pair_of(char32_t first, char32_t second) { return static_cast<uint64_t>(first) << 32 | second; }

struct Tables {
  std::unordered_map<uint64_t, char32_t> composed;
  std::unordered_map<char32_t, std::vector<char32_t>> parts;
  Tables() {
    for (const auto& [first, second, code] : compositions) {
      composed[pair_of(first, second)] = code;
      parts[code] = {first, second};
    }
    for (const auto& [code, all] : decompositions)
      parts[code] = {all.begin(), std::find(all.begin(), all.end(), 0)};
  }
};

const Tables& tables() {
  static const Tables all;
  return all;
}

struct Mark {
  char32_t code;
  uint8_t combining_class;
};

void decompose(char32_t code, std::vector<Mark>& out) {
  if (code >= syllables && code < syllables + lead_count * vowel_count * trail_count) {
    const char32_t index = code - syllables;
    out.push_back({leads + index / (vowel_count * trail_count), 0});
    out.push_back({vowels + index / trail_count % vowel_count, 0});
    if (index % trail_count) out.push_back({trails + index % trail_count, 0});
    return;
  }
  const auto found = tables().parts.find(code);
  if (found == tables().parts.end())
    out.push_back({code, combining_class(code)});
  else
    for (const char32_t part : found->second) decompose(part, out);
}

/// What the two compose to; 0 where they do not.
char32_t composed(char32_t first, char32_t second) {
  if (first >= leads && first < leads + lead_count && second >= vowels && second < vowels + vowel_count)
    return syllables + ((first - leads) * vowel_count + (second - vowels)) * trail_count;
  const char32_t index = first - syllables;
  if (first >= syllables && index < lead_count * vowel_count * trail_count && index % trail_count == 0 &&
      second > trails && second < trails + trail_count)
    return first + (second - trails);
  const auto found = tables().composed.find(pair_of(first, second));
  return found == tables().composed.end() ? 0 : found->second;
}

/// Marks in the order of their classes, between characters that are none.
void reorder(std::vector<Mark>& all) {
  for (auto begin = all.begin(); begin != all.end();) {
    const auto is_base = [](const Mark& m) { return m.combining_class == 0; };
    begin = std::find_if_not(begin, all.end(), is_base);
    const auto end = std::find_if(begin, all.end(), is_base);
    std::stable_sort(begin, end,
                     [](const Mark& a, const Mark& b) { return a.combining_class < b.combining_class; });
    begin = end;
  }
}

/// Each character joins the last one before it that is no mark, unless one of its class or above stands
/// between.
void compose(std::vector<Mark>& all) {
  std::size_t kept = 0, base = all.size();
  for (const Mark& mark : std::vector<Mark>(all)) {
    const bool blocked = base + 1 < kept && all[kept - 1].combining_class >= mark.combining_class;
    const char32_t joined = base < kept && !blocked ? composed(all[base].code, mark.code) : 0;
    if (joined) {
      all[base].code = joined;
      continue;
    }
    if (mark.combining_class == 0) base = kept;
    all[kept++] = mark;
  }
  all.resize(kept);
}

void append_utf8(char32_t code, std::string& out) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    tail(6), tail(0);
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    tail(12), tail(6), tail(0);
  }
}

std::string normalised(std::string_view text) {
  std::vector<Mark> all;
  for (std::size_t at = 0; at < text.size();) {
    const Character next = first_character(text.substr(at));
    decompose(next.code, all);
    at += next.size;
  }
  reorder(all);
  compose(all);
  std::string out;
  for (const Mark& mark : all) append_utf8(mark.code, out);
  return out;
}

bool stands_alone(char32_t code) { return code < 0x300 || !(character_classes(code) & may_normalise); }

}  // namespace

bool is_surely_nfc(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Character next = first_character(text.substr(at));
    if (!stands_alone(next.code)) return false;
    at += next.size;
  }
  return true;
}

// Only a character and those after it that do not stand alone can change together.
ChangedText nfc(std::string_view text) {
  ChangedText changed;
  std::size_t begin = 0;  // of the last character that stands alone
  for (std::size_t at = 0; at < text.size();) {
    Character next = first_character(text.substr(at));
    if (stands_alone(next.code)) {
      changed.keep(text.substr(begin, at - begin));
      begin = at;
      at += next.size;
      continue;
    }
    while (at < text.size() && !stands_alone((next = first_character(text.substr(at))).code)) at += next.size;
    changed.put(normalised(text.substr(begin, at - begin)), begin, at);
    begin = at;
  }
  changed.keep(text.substr(begin));
  return changed;
}

}  // namespace attnlab
