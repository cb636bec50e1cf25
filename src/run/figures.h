// Figures of an experiment, from the records of its runs: one row a case, seeds together.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "run/plan.h"

namespace attnlab {

/// A figure over the runs of a case that are done.
struct Figure {
  std::vector<double> values;  ///< one a run
  double standard_error = 0;   ///< of the only run, from its examples; NaN with several runs
  double mean() const;
  /// Sample standard deviation over runs; NaN below two.
  double deviation() const;
};

struct CaseFigures {
  std::string label;                           ///< what the sweep sets, without the seed
  std::map<std::string, std::string> options;  ///< resolved, path → value
  std::map<std::string, Figure> figures;       ///< by headline
  std::map<std::string, int64_t> statuses;     ///< how many runs have which
  std::vector<std::string> ids;                ///< of the runs that are done
  std::map<std::string, std::string> origin;  ///< git_commit, cpu, threads, …: of the first run that is done
  int64_t limit = 0;                          ///< only the first N examples were evaluated; 0: all
  int64_t runs() const;
};

struct ExperimentFigures {
  std::vector<Headline> headlines;  ///< of all tasks in the experiment, each once
  std::vector<CaseFigures> cases;
};

ExperimentFigures collect_figures(const Plan& plan);

}  // namespace attnlab
