// What the cleaning of a training set took away, counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace attnlab {

/// Pairs of the training set. Each pair that was dropped counts once, under the first rule that it breaks.
struct CleaningReport {
  int64_t read = 0, kept = 0;
  int64_t empty = 0;                               ///< no text on one side or both
  int64_t control = 0;                             ///< a control character
  int64_t duplicate = 0;                           ///< both sides were there before
  int64_t too_short = 0, too_long = 0, ratio = 0;  ///< by pieces of the vocabulary

  /// Names and counts, for logs and records: "read", "kept", then what was dropped.
  std::vector<std::pair<std::string, int64_t>> counts() const;
  /// One line for people, which leaves out what was not found or not looked for.
  std::string sentence() const;
  /// "read 29000\nkept 28870\n…", and back.
  std::string text() const;
  static CleaningReport parse(std::string_view text);
};

}  // namespace attnlab
