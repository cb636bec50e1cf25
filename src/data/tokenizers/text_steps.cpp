#include "data/tokenizers/text_steps.h"

#include <optional>

#include "data/unicode/nfc.h"

namespace attnlab {
namespace {

ChangedText with_first(std::string_view first, std::string_view text) {
  ChangedText changed;
  changed.put(first, 0, 0);
  changed.keep(text);
  return changed;
}

ChangedText replaced(std::string_view text, std::string_view from, std::string_view instead) {
  ChangedText changed;
  std::size_t at = 0;
  for (std::size_t found; (found = text.find(from, at)) != std::string_view::npos; at = found + from.size()) {
    changed.keep(text.substr(at, found - at));
    changed.put(instead, found, found + from.size());
  }
  changed.keep(text.substr(at));
  return changed;
}

/// Nothing where the step leaves the text as it is.
std::optional<ChangedText> after(const TextStep& step, std::string_view text, bool at_start) {
  switch (step.kind) {
    case TextStepKind::nfc:
      return is_surely_nfc(text) ? std::nullopt : std::optional(nfc(text));
    case TextStepKind::prepend:
      return text.empty() ? std::nullopt : std::optional(with_first(step.text, text));
    case TextStepKind::prepend_at_start:
      if (!at_start) return std::nullopt;
      [[fallthrough]];
    case TextStepKind::prepend_once:
      return text.starts_with(step.text) ? std::nullopt : std::optional(with_first(step.text, text));
    case TextStepKind::replace:
      return text.find(step.from) == text.npos ? std::nullopt
                                               : std::optional(replaced(text, step.from, step.text));
  }
  return std::nullopt;
}

}  // namespace

SteppedText::SteppedText(std::string_view text, const std::vector<TextStep>& steps, bool at_start)
    : text_(text) {
  changes_.reserve(steps.size());  // text_ points into the last
  for (const TextStep& step : steps)
    if (auto changed = after(step, text_, at_start)) {
      changes_.push_back(std::move(*changed));
      text_ = changes_.back().text;
    }
}

void SteppedText::to_original(std::span<int64_t> offsets) const {
  for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) change->map.to_original(offsets);
}

}  // namespace attnlab
