// From an experiment file to the runs it asks for, each with its options, id and folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "run/options.h"

namespace attnlab {

/// One run, fully resolved.
struct PlannedRun {
  int64_t index = 0;
  std::string id;
  std::string experiment;
  std::string description;
  std::string label;                    ///< what the sweep sets, in short; "" without a sweep
  std::vector<Assignment> assignments;  ///< the same, one by one
  RunOptions options;
  std::string yaml;              ///< the resolved configuration, as `attnlab show` prints it
  std::filesystem::path folder;  ///< results/<experiment>/<id>
};

struct Plan {
  std::string experiment;
  std::string description;
  std::filesystem::path published;  ///< the paper's figures; empty: none
  std::vector<PlannedRun> runs;     ///< in the order of their indices
};

/// Every run of the experiment. Throws one UserError with every mistake of every run.
Plan plan_experiment(const std::filesystem::path& config, const std::vector<std::string>& overrides);

/// The one run that `config` describes, or the `index`-th of its sweep. Throws UserError where there are
/// several and no index was given, or where the index is too large.
PlannedRun plan_run(const std::filesystem::path& config, const std::vector<std::string>& overrides,
                    std::optional<int64_t> index);

/// The run whose folder this is, read from the config.yaml that it holds.
PlannedRun planned_from_folder(const std::filesystem::path& folder);

/// What the run's task is told.
RunContext context_of(const PlannedRun& run, torch::Device device);

}  // namespace attnlab
