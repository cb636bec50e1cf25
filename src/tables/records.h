// Tables without an experiment file: the runs of experiments from their records alone.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "tables/table_run.h"

namespace attnlab {

/// The records at these places, each a run.h5, the folder of a run or of an experiment, or a results root, by
/// experiment. Cases are told apart by the row that each run recorded, and within a row, where a sweep was
/// repeated with overrides, by the options in which its runs differ; `without_effect`: paths of those that
/// cannot change a result. References of `compare` come first, then the others in natural order.
/// Throws UserError where a place holds no record, or where the only record cannot be read.
std::vector<ExperimentRuns> recorded_runs(const std::vector<std::filesystem::path>& places,
                                          const std::set<std::string>& without_effect);

}  // namespace attnlab
