// Which pairs of a training set are left out. Validation and test sets are never cleaned.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "core/options.h"
#include "data/translation/cleaning_report.h"

namespace attnlab {

/// As Moses' clean-corpus-n, whose bounds are those of fairseq's and Mega's preparations, with two rules on
/// texts before.
struct CleaningOptions {
  bool control_characters = true;
  bool duplicates = false;
  int64_t min_pieces = 1, max_pieces = 250;
  double max_ratio = 0;
  void visit(Fields& f);
  std::string text() const;  ///< all of it, for fingerprints
};

/// Whether the text has a C0 or C1 control character other than the tab, U+2028 or U+2029.
bool has_control_character(std::string_view text);

/// Looks at one pair after the other and counts. A pair is asked for twice: as texts and, if it is kept, by
/// its pieces.
class Cleaner {
 public:
  explicit Cleaner(const CleaningOptions& options) : options_(options) {}
  /// Pairs are told apart by 64 bits of a hash: among 4.5 million, one is wrongly taken for another with a
  /// chance of one in a million.
  bool keeps_texts(std::string_view source, std::string_view target);
  /// Lengths without EOS.
  bool keeps_lengths(int64_t source, int64_t target);
  const CleaningReport& report() const { return report_; }

 private:
  CleaningOptions options_;
  CleaningReport report_;
  std::unordered_set<uint64_t> seen_;
};

}  // namespace attnlab
