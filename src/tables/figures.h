// Figures of an experiment, from its runs: one row a case, seeds together.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "tables/table_run.h"

namespace attnlab {

/// What a table prints of a figure. NaN: there is none.
struct Estimate {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
  double value = none;               ///< mean over runs
  double deviation = none;           ///< sample standard deviation over runs, where there are several
  double standard_error = none;      ///< of a single run, from its examples
  double least = none, most = none;  ///< over runs
  int64_t runs = 0;
  /// Over runs, or within a single one over its rounds: of as many as a quartile means something of
  /// (kFewestForQuartiles).
  double lower_quartile = none, median = none, upper_quartile = none;
};

inline constexpr std::size_t kFewestForQuartiles = 5;

/// A figure over the runs of a case that are done.
struct Figure {
  std::vector<double> values, standard_errors;  ///< one a run
  std::vector<int64_t> seeds = {};              ///< of the runs
  std::vector<int64_t> counts = {};             ///< examples or rounds behind each value

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
  std::string row, label;  ///< as of its runs, and so on
  std::map<std::string, std::string> condition, settings;
  std::vector<std::size_t> published;
  int64_t limit = 0;
  std::map<std::string, Figure> figures;  ///< by headline
  std::map<std::string, StatusCount> statuses;
  std::vector<std::size_t> members;           ///< its runs, by their place
  std::vector<int64_t> seeds;                 ///< of its runs
  std::vector<int64_t> missing_seeds;         ///< that like cases have a record of and this one has not
  std::vector<std::string> ids;               ///< of the runs that are done
  std::map<std::string, std::string> origin;  ///< git_commit, cpu, data_checksum, …: of the first run done

  int64_t runs() const;
  int64_t done() const;
  /// Of a figure that it has, with the quartiles that a single run tells.
  Estimate estimate(const std::string& figure) const;
  /// "1 failed: no space left; 2 not started"; "" where all are done.
  std::string not_done() const;
};

struct ExperimentFigures {
  std::vector<Headline> headlines;
  std::vector<CaseFigures> cases;
};

ExperimentFigures collect_figures(const ExperimentRuns& runs);

/// The text up to its first line's end or full stop, at most 120 characters.
std::string first_sentence(const std::string& text);

}  // namespace attnlab
