// Which row of a table a record belongs to, from what it says of itself.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "results/reader.h"

namespace attnlab {

/// A row's name in its parts: "Luna-16 length=1024" is the label Luna-16 and one assignment.
struct RecordedRow {
  std::string label;
  std::vector<std::pair<std::string, std::string>> assignments;  ///< key → value, as written

  std::string name() const;
};

/// Options of a run by path, each in one line: {"model.encoder.dim": "256"}.
using RecordedOptions = std::map<std::string, std::string>;

/// From the record's resolved configuration; empty where it has none that can be read.
RecordedOptions recorded_options(const RunRecord& record);

/// The row without the seed. Older records have no attribute `label`: their `case` is taken. Only keys that
/// the run has as options count, or their last parts, so that a label may hold an equals sign.
RecordedRow recorded_row(const RunRecord& record, const RecordedOptions& options);

}  // namespace attnlab
