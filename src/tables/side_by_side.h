// Two runs beside each other: in what they differ, and what each came to.
#pragma once

#include "results/reader.h"
#include "tables/text_table.h"

namespace attnlab {

/// A row an option that differs, then one an attribute that does (commit, machine, versions, checksums); not
/// what differs between any two runs, such as their times. "–" where a run has none.
TextTable differences(const RunRecord& a, const RunRecord& b);

/// A row a headline figure of either, in units that people read, with the ratio b / a; marked * where they
/// lie more than two standard errors of the difference apart, taken as independent.
TextTable figures_beside(const RunRecord& a, const RunRecord& b);

}  // namespace attnlab
