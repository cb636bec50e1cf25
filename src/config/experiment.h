// An experiment file: options for the run, and beside them `name`, `description`, `departures`, `published`,
// `sweep` and `compare`, which are taken out before the options are read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "config/compare.h"
#include "config/problems.h"
#include "config/reader.h"
#include "config/sweep.h"
#include "core/error.h"

namespace attnlab {

struct Experiment {
  std::string name;  ///< the file's own `name:`, else its stem; never an included file's
  std::string description;
  std::vector<std::string> departures;  ///< in what it is not the recipe that it follows, a sentence each
  std::filesystem::path source;         ///< the file
  std::filesystem::path published;  ///< the paper's figures; relative to the file that names it; empty: none
  Config config;                    ///< what is left for the options, before overrides
  Sweep sweep;
  Compare compare;
};

/// One run of an experiment.
struct Case {
  int64_t index = 0;
  Combination sets;  ///< what the sweep sets, in declared order
  Config config;     ///< with that and the overrides applied
  /// The label and what else is swept, in short: "Luna-16 length=1024 seed=2"; without a label
  /// "model.attention=luna projection_length=16 length=1024 seed=2"; "" without a sweep.
  std::string name() const;
  /// The same without the seed: runs that differ in nothing else stand in one row.
  std::string row() const;
};

/// Throws UserError where the file cannot be read. Other mistakes are reported by read_options.
Experiment load_experiment(const std::filesystem::path& path);

/// All runs of the experiment, in a fixed order: explicit cases outermost, then the grid with its last key
/// fastest; one run where there is no sweep. `overrides` are "key.path=value" and win over the sweep: a swept
/// key that is overridden is swept no more. Throws UserError for an override that is not of that form;
/// unknown keys are reported by read_options.
std::vector<Case> expand(const Experiment& experiment, const std::vector<std::string>& overrides = {});

/// `config` with "key.path=value" overrides applied.
Config with_overrides(Config config, const std::vector<std::string>& overrides);

/// Options of all cases. Throws one UserError with every mistake of every case, each once.
template <class Options>
std::vector<Options> read_cases(const std::vector<Case>& cases) {
  std::vector<Options> all;
  std::vector<std::string> problems;
  for (const Case& one : cases) try {
      all.push_back(read_options<Options>(one.config));
    } catch (const UserError& e) {
      problems.emplace_back(e.what());
    }
  throw_if_any(problems);
  return all;
}

}  // namespace attnlab
