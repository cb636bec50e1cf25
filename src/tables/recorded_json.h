// What a run's record keeps of the experiment around it, as JSON texts (results/README.md), so that tables
// and reports need the records alone: written by the planner, read where tables are made of records.
#pragma once

#include <string>
#include <vector>

#include "config/compare.h"
#include "config/published.h"

namespace attnlab {

/// {"source", "unit", "metrics": [name], "rows": [{"name", "figures": {metric: value}, "written": {metric: as
/// in the file}, "match": {path: value}, "this_case": bool}]}. `about`: the places of
/// the rows about the run.
std::string recorded_json(const Published& published, const std::vector<std::size_t>& about);

/// {"to": {short name: label}, "speedup": [metric], "fraction": [metric]}
std::string recorded_json(const Compare& compare);

/// What such texts say, of older records (without "written" and "match") too. Of a text that is none of them
/// nothing.
struct RecordedPublished {
  Published published;
  std::vector<std::size_t> about;  ///< rows with this_case
};
RecordedPublished published_from(const std::string& json);
Compare compare_from(const std::string& json);

}  // namespace attnlab
