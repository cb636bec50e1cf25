// `attnlab table … --against ROW`: every row less one of them, over the same questions, examples or
// documents.
#pragma once

#include <string>
#include <vector>

#include "tables/table_run.h"
#include "tables/text_table.h"

namespace attnlab {

/// A row a case and figure that has single values (tables/single_values.h), of all figures or those `wanted`.
/// The reference is the row of that name; else each case is compared with the case of that label in which all
/// else that is swept is equal. Runs of the seeds that both have, all where none is common, are averaged
/// question by question first, so that the error is over questions, not over seeds; `notes` says which were
/// left out. `csv`: numbers apart and unrounded. Throws UserError where there is no such row, where a figure
/// `wanted` has no single values, and where nothing can be paired.
TextTable against(const ExperimentRuns& runs, const std::string& reference,
                  const std::vector<std::string>& wanted, bool csv);

/// What its columns say.
std::string against_legend(const std::string& reference);

}  // namespace attnlab
