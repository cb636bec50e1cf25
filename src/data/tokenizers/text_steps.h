// What is done to a text before it is cut into pieces.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/unicode/text_map.h"

namespace attnlab {

enum class TextStepKind {
  nfc,
  prepend,           ///< `text` before what is not empty
  prepend_once,      ///< `text` before what does not begin with it
  prepend_at_start,  ///< the same, where it is the beginning of the whole text
  replace,           ///< every `from` by `text`
};

struct TextStep {
  TextStepKind kind;
  std::string text, from;
};

/// The text after the steps, and the way back.
class SteppedText {
 public:
  /// `at_start`: the text begins where the whole text does.
  SteppedText(std::string_view text, const std::vector<TextStep>& steps, bool at_start);
  SteppedText(const SteppedText&) = delete;
  std::string_view text() const { return text_; }
  std::string string() const { return std::string(text_); }
  /// Replaces offsets in text(), which never fall, by those in the original.
  void to_original(std::span<int64_t> offsets) const;

 private:
  std::string_view text_;
  std::vector<ChangedText> changes_;
};

}  // namespace attnlab
