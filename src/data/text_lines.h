// Files of running text that have a sentence a line, as WMT's sets have: documents of consecutive lines.
#pragma once

#include <string>
#include <vector>

#include "data/documents.h"

namespace attnlab {

/// Of every file, blank lines left out, the last `held_out` of its lines are the test split, as many before
/// them the validation split, all others the training split: lines of the same making, but at most one text
/// a file and border that two splits share. A split is cut into documents of `lines` lines, of which the last
/// one takes what is left over. A document's id is the file's name with its first and last line,
/// "x.de:1-100", where lines are counted as an editor counts them.
struct TextLinesOptions final : DocumentDataOptions {
  std::vector<std::string> files;
  int64_t lines = 100;
  double held_out = 0.1;
  Split split = Split::train;

  void visit(Fields& f) override;
  /// Reads everything at once. A relative path that is not there is looked for in the data folder.
  std::shared_ptr<Documents> open(const DataPlace& place) const override;
};

}  // namespace attnlab
