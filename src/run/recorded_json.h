// What a run's record keeps of the experiment around it, as JSON texts (results/README.md), so that a report
// needs the records alone.
#pragma once

#include <map>
#include <string>

#include "config/compare.h"
#include "run/published.h"

namespace attnlab {

/// {"source", "unit", "metrics": [name], "rows": [{"name", "figures": {metric: value}, "this_case": bool}]}.
/// `values`: of the run, see values_of.
std::string recorded_json(const Published& published, const std::map<std::string, std::string>& values);

/// {"to": {short name: label}, "speedup": [metric], "fraction": [metric]}
std::string recorded_json(const Compare& compare);

}  // namespace attnlab
