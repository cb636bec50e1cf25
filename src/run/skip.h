// A run that a sweep leaves out.
#pragma once

#include <string>
#include <vector>

#include "run/plan.h"

namespace attnlab {

/// Records status `skipped` with its reason, so that list, table and report show why there are no figures.
/// The run itself starts afterwards as if it had never been recorded. What an earlier session left stands:
/// then nothing is recorded.
void record_skip(const PlannedRun& run, const std::string& reason, bool on_gpu,
                 const std::vector<std::string>& argv);

}  // namespace attnlab
