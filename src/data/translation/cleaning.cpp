#include "data/translation/cleaning.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/random.h"

namespace attnlab {
namespace {

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

bool drop(int64_t& count) {
  ++count;
  return false;
}

}  // namespace

void CleaningOptions::visit(Fields& f) {
  f("control_characters", control_characters,
    "drop pairs with a control character other than the tab, or a line separator of Unicode");
  f("duplicates", duplicates, "drop pairs both of whose sides were there before");
  f("min_pieces", min_pieces, Range{0, 1e6}, "drop pairs with a side of fewer pieces of the vocabulary");
  f("max_pieces", max_pieces, Range{1, 1e6},
    "drop pairs with a side of more pieces (fairseq's preparation: 250, Mega's: 150)");
  f("max_ratio", max_ratio, Range{0, 1e6},
    "drop pairs with one side more than this many times longer; 0: any (fairseq's and Mega's: 1.5)");
  f.require(min_pieces <= max_pieces, "min_pieces", "is above max_pieces, which leaves no pair");
  f.require(max_ratio == 0 || max_ratio >= 1, "max_ratio", "is 0 or at least 1");
}

std::string CleaningOptions::text() const {
  return fmt::format("control {} duplicates {} pieces {} {} ratio {}", control_characters, duplicates,
                     min_pieces, max_pieces, max_ratio);
}

bool has_control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return true;
    const auto second = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (byte == 0xc2 && second >= 0x80 && second < 0xa0) return true;  // U+0080 to U+009F
    if (byte == 0xe2 && (text.substr(i, 3) == "\u2028" || text.substr(i, 3) == "\u2029")) return true;
  }
  return false;
}

bool Cleaner::keeps_texts(std::string_view source, std::string_view target) {
  ++report_.read;
  if (is_blank(source) || is_blank(target)) return drop(report_.empty);
  if (options_.control_characters && (has_control_character(source) || has_control_character(target)))
    return drop(report_.control);
  if (options_.duplicates && !seen_.insert(derive_seed(derive_seed(0, source), target)).second)
    return drop(report_.duplicate);
  return true;
}

bool Cleaner::keeps_lengths(int64_t source, int64_t target) {
  const auto [shorter, longer] = std::minmax(source, target);
  if (shorter == 0) return drop(report_.empty);  // nothing but what normalisation takes away
  if (shorter < options_.min_pieces) return drop(report_.too_short);
  if (longer > options_.max_pieces) return drop(report_.too_long);
  const double most = options_.max_ratio * static_cast<double>(shorter);
  if (options_.max_ratio > 0 && static_cast<double>(longer) > most) return drop(report_.ratio);
  ++report_.kept;
  return true;
}

}  // namespace attnlab
