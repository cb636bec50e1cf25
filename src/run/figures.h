// Figures of an experiment, from the records of its runs: one row a case, seeds together.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "run/plan.h"

namespace attnlab {

/// What a table prints of a figure. NaN: there is none.
struct Estimate {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
  double value = none;           ///< mean over runs
  double deviation = none;       ///< sample standard deviation over runs, where there are several
  double standard_error = none;  ///< of a single run, from its examples
};

/// A figure over the runs of a case that are done.
struct Figure {
  std::vector<double> values, standard_errors;  ///< one a run

  double mean() const;
  /// Sample standard deviation over runs; NaN below two.
  double deviation() const;
  Estimate estimate() const;
};

/// The runs of a case that have some status.
struct StatusCount {
  int64_t runs = 0;
  std::string reason;  ///< first sentence of the first error; "" where none was recorded
};

struct CaseFigures {
  std::string row;                               ///< what the sweep sets, in short, without the seed
  std::string label;                             ///< of the sweep's case; "" without one
  std::map<std::string, std::string> condition;  ///< path → value of what is swept beside label and seed
  std::map<std::string, std::string> values;     ///< what published rows match: see values_of
  std::map<std::string, Figure> figures;         ///< by headline
  std::map<std::string, StatusCount> statuses;
  std::vector<std::string> ids;               ///< of the runs that are done
  std::map<std::string, std::string> origin;  ///< git_commit, cpu, threads, …: of the first run that is done
  int64_t limit = 0;                          ///< only the first N examples were evaluated; 0: all

  int64_t runs() const;
  int64_t done() const;
  /// "1 failed: no space left; 2 not started"; "" where all are done.
  std::string not_done() const;
};

struct ExperimentFigures {
  std::vector<Headline> headlines;  ///< of all tasks in the experiment, each once
  std::vector<CaseFigures> cases;
};

ExperimentFigures collect_figures(const Plan& plan);

/// The text up to its first line's end or full stop, at most 120 characters.
std::string first_sentence(const std::string& text);

}  // namespace attnlab
