// What a table is made of: the runs of an experiment, as a plan or the records themselves tell of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/compare.h"
#include "config/published.h"
#include "results/run_folder.h"

namespace attnlab {

struct TableRun {
  std::string id;
  std::string name;                              ///< what the sweep sets, in short
  std::string row;                               ///< the same without the seed: runs that stand together
  std::string label;                             ///< of the sweep's case; "" without one
  std::map<std::string, std::string> condition;  ///< path → value of what is swept beside label and seed
  /// path → value: at least of all that the sweep sets for this run, in its grid or its case.
  std::map<std::string, std::string> settings = {};
  int64_t seed = 0;
  int64_t limit = 0;                   ///< only the first N examples were evaluated; 0: all
  std::vector<std::size_t> published;  ///< rows of the experiment's published figures that are about it
  std::filesystem::path record;        ///< run.h5, whether it is there or not
  RunState state = {};
};

struct ExperimentRuns {
  std::string experiment, description;
  std::vector<Headline> headlines;  ///< that its runs may have, each once
  std::optional<Published> published;
  Compare compare;
  std::vector<TableRun> runs;
  std::vector<TableRun> unreadable = {};     ///< records that do not even say which row they belong to
  std::vector<std::string> departures = {};  ///< from the recipe that it follows
  bool complete = true;                      ///< whether runs that were never started are among them too
};

}  // namespace attnlab
