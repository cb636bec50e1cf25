// An experiment's table as cells: for people (text, markdown, latex) or one number a cell (csv).
#pragma once

#include <string>

#include "tables/experiment_table.h"
#include "tables/text_table.h"

namespace attnlab {

/// A row a case, floor or published figure. Numbers in units that people read (MiB, GFLOP/s), mean ± spread.
TextTable layout_for_people(const ExperimentTable& table);

/// The same rows, one number a cell, in the units of the records (but for what is published in percent); with
/// run ids, commit and machine.
TextTable layout_for_csv(const ExperimentTable& table);

/// What the columns mean, where the published figures are from, and what was left out: lines below the table
/// after an empty one, each behind `mark` and followed by `end`.
std::string legend(const ExperimentTable& table, const std::string& mark, const std::string& end);

}  // namespace attnlab
