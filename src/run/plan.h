// From an experiment file to the runs it asks for, each with its options, id and folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "config/published.h"
#include "run/options.h"

namespace attnlab {

/// One run, fully resolved.
struct PlannedRun {
  int64_t index = 0;
  std::string id;
  std::string experiment;
  std::string description;
  std::vector<std::string> departures;  ///< of the experiment
  Combination sets;                     ///< what the sweep sets, with the label of its case
  std::string name, row;                ///< that in short, with the seed and without it; "" without a sweep
  RunOptions options;
  std::string yaml;                         ///< the resolved configuration, as `attnlab show` prints it
  std::filesystem::path folder;             ///< results/<experiment>/<id>
  std::vector<std::size_t> published_rows;  ///< of the paper's figures, those about this run
  std::string
      published;        ///< JSON for the record: the paper's figures, and which are about this run; "": none
  std::string compare;  ///< JSON for the report: what the experiment compares with; "": nothing
};

struct Plan {
  std::string experiment;
  std::string description;
  std::vector<std::string> departures;
  std::optional<Published> published;  ///< the paper's figures
  Compare compare;
  std::vector<PlannedRun> runs;  ///< in the order of their indices
};

/// Every run of the experiment. Throws one UserError with every mistake of every run, or with those in the
/// file of published figures, or with figures to compare that no task of the experiment has.
Plan plan_experiment(const std::filesystem::path& config, const std::vector<std::string>& overrides);

/// The one run that `config` describes, or the `index`-th of its sweep. Throws UserError where there are
/// several and no index was given, or where the index is too large.
PlannedRun plan_run(const std::filesystem::path& config, const std::vector<std::string>& overrides,
                    std::optional<int64_t> index);

/// The run whose folder this is, read from the config.yaml that it holds, with overrides of how it is used.
PlannedRun planned_from_folder(const std::filesystem::path& folder,
                               const std::vector<std::string>& overrides = {});

/// Headline figures of all tasks in the experiment, each once.
std::vector<Headline> headlines_of(const std::vector<PlannedRun>& runs);

/// What the run's task is told.
RunContext context_of(const PlannedRun& run, torch::Device device);

}  // namespace attnlab
