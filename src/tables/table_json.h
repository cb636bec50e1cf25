// Experiments' tables as JSON, for programs: everything that a table knows, with every run behind it. The
// form is described in results/README.md.
#pragma once

#include <string>
#include <vector>

#include "tables/experiment_table.h"

namespace attnlab {

/// {"experiments": […]}, indented. Numbers are in the units of the records; one that is not finite is null.
/// `wanted`: as for experiment_table().
std::string tables_json(const std::vector<ExperimentRuns>& experiments,
                        const std::vector<std::string>& wanted);

}  // namespace attnlab
