#include "data/tokenizers/split_rules.h"

#include <array>
#include <utility>

#include "data/unicode/characters.h"

namespace attnlab {
namespace {

constexpr std::array<std::pair<std::string_view, SplitRule>, 4> patterns{{
    {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", SplitRule::gpt2},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     SplitRule::llama3},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     SplitRule::qwen2},
    {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     SplitRule::tekken},
}};

constexpr uint16_t named = is_letter | is_number | is_space;  // [^\s\p{L}\p{N}] is none of them

/// The characters of a text, each with its classes.
struct Scan {
  std::string_view text;

  bool inside(std::size_t at) const { return at < text.size(); }
  Character character(std::size_t at) const { return first_character(text.substr(at)); }
  uint16_t classes(std::size_t at) const { return inside(at) ? character_classes(character(at).code) : 0; }
  bool breaks_line(std::size_t at) const { return inside(at) && (text[at] == '\r' || text[at] == '\n'); }
  /// The end of the run that begins at `at` of characters whose classes pass.
  template <class Test>
  std::size_t run(std::size_t at, Test passes, std::size_t most = SIZE_MAX) const {
    for (; inside(at) && most > 0; --most) {
      const Character next = character(at);
      if (!passes(character_classes(next.code))) break;
      at += next.size;
    }
    return at;
  }
};

auto any_of(uint16_t wanted) {
  return [wanted](uint16_t classes) { return (classes & wanted) != 0; };
}
bool is_other(uint16_t classes) { return (classes & named) == 0; }

/// 's|'t|'re|'ve|'m|'ll|'d; 0 where the text begins otherwise.
std::size_t contraction(std::string_view text, bool any_case) {
  if (text.size() < 2 || text[0] != '\'') return 0;
  const auto letter = [&](std::size_t i) {
    const char c = i < text.size() ? text[i] : ' ';
    return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 'a' - 'A') : c;
  };
  if (any_case && text.substr(1).starts_with("\u017F")) return 3;  // the long s is an s in another case
  const char first = letter(1), second = letter(2);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  const bool two =
      (first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l');
  return two ? 3 : 0;
}

/// \s+(?!\S)|\s+: white space without its last character, which belongs to what follows.
std::size_t white_space(const Scan& scan) {
  const std::size_t end = scan.run(0, any_of(is_space));
  if (end == scan.text.size()) return end;
  const std::size_t last = last_character(scan.text.substr(0, end)).size;
  return end > last ? end - last : end;
}

/// \s*[\r\n]+; 0 where no line ends in the white space.
std::size_t line_ends(const Scan& scan) {
  const std::size_t last = scan.text.substr(0, scan.run(0, any_of(is_space))).find_last_of("\r\n");
  return last == std::string_view::npos ? 0 : last + 1;
}

std::size_t digits_piece(const Scan& scan, bool runs) {
  if (!(scan.classes(0) & is_digit))
    return scan.run(0, [](uint16_t classes) { return (classes & is_digit) == 0; });
  return scan.run(0, any_of(is_digit), runs ? SIZE_MAX : 1);
}

std::size_t gpt2_piece(const Scan& scan) {
  if (const std::size_t found = contraction(scan.text, false)) return found;
  const std::size_t start = scan.text[0] == ' ' ? 1 : 0;
  const uint16_t classes = scan.classes(start);
  if (classes & is_letter) return scan.run(start, any_of(is_letter));
  if (classes & is_number) return scan.run(start, any_of(is_number));
  if (scan.inside(start) && is_other(classes)) return scan.run(start, is_other);
  return white_space(scan);
}

/// What Llama-3's, Qwen's and Tekken's expressions end with, behind words and numbers: ` ?[^\s\p{L}\p{N}]+`
/// with such `tail` characters as follow, line ends, white space.
std::size_t marks_or_space(const Scan& scan, std::string_view tail) {
  const std::size_t start = scan.text[0] == ' ' ? 1 : 0;
  if (scan.inside(start) && is_other(scan.classes(start))) {
    const std::size_t end = scan.run(start, is_other);
    const std::size_t after = scan.text.find_first_not_of(tail, end);
    return after == std::string_view::npos ? scan.text.size() : after;
  }
  if (const std::size_t found = line_ends(scan)) return found;
  return white_space(scan);
}

/// Where a word may begin: behind the first character, [^\r\n\p{L}\p{N}], or with it.
std::size_t behind_first(const Scan& scan) {
  const bool skips = !scan.breaks_line(0) && !(scan.classes(0) & (is_letter | is_number));
  return skips ? scan.character(0).size : 0;
}

std::size_t llama3_piece(const Scan& scan, std::size_t digits) {
  if (const std::size_t found = contraction(scan.text, true)) return found;
  const std::size_t word = behind_first(scan);
  if (scan.classes(word) & is_letter) return scan.run(word, any_of(is_letter));
  if (scan.classes(0) & is_number) return scan.run(0, any_of(is_number), digits);
  return marks_or_space(scan, "\r\n");
}

/// The end of [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ at `at`; 0 where it does not match.
std::size_t capitals_and_lower(const Scan& scan, std::size_t at) {
  const std::size_t capitals = scan.run(at, any_of(is_upper | is_caseless));
  const std::size_t end = scan.run(capitals, any_of(is_lower | is_caseless));
  if (end > capitals) return end;
  // The first part gives back what the second can begin with: all up to the last caseless character.
  std::size_t found = 0;
  for (std::size_t i = at; i < capitals;) {
    const Character next = scan.character(i);
    i += next.size;
    if (character_classes(next.code) & is_caseless) found = i;
  }
  return found;
}

/// The end of [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]* at `at`; 0 where it does not match.
std::size_t capitals(const Scan& scan, std::size_t at) {
  const std::size_t end = scan.run(at, any_of(is_upper | is_caseless));
  return end > at ? scan.run(end, any_of(is_lower | is_caseless)) : 0;
}

std::size_t tekken_piece(const Scan& scan) {
  const std::size_t word = behind_first(scan);
  for (const auto match : {capitals_and_lower, capitals}) {
    if (const std::size_t found = match(scan, word)) return found;
    if (const std::size_t found = word > 0 ? match(scan, 0) : 0) return found;
  }
  if (scan.classes(0) & is_number) return scan.character(0).size;
  return marks_or_space(scan, "\r\n/");
}

}  // namespace

std::optional<SplitRule> known_pattern(std::string_view regex) {
  for (const auto& [text, rule] : patterns)
    if (text == regex) return rule;
  return std::nullopt;
}

std::size_t first_piece(SplitRule rule, std::string_view text) {
  const Scan scan{text};
  switch (rule) {
    case SplitRule::digits:
      return digits_piece(scan, false);
    case SplitRule::digit_runs:
      return digits_piece(scan, true);
    case SplitRule::gpt2:
      return gpt2_piece(scan);
    case SplitRule::llama3:
      return llama3_piece(scan, 3);
    case SplitRule::qwen2:
      return llama3_piece(scan, 1);
    case SplitRule::tekken:
      return tekken_piece(scan);
  }
  return text.size();
}

}  // namespace attnlab
