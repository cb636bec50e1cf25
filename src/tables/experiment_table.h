// The table of an experiment before it is laid out: our cases, their floors, and what was published.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tables/figures.h"

namespace attnlab {

struct TableColumn {
  std::string name;  ///< of a headline, a ratio, or a metric that is published only
  std::string unit;
  enum class Kind { headline, speedup, fraction, difference } kind = Kind::headline;
  std::string metric, reference;  ///< of a ratio or difference: what it is made of
  bool ours = true;               ///< whether the column has figures of ours
  bool published = false;         ///< whether published figures stand beside them
  bool in_percent = false;        ///< a fraction that is published, and so printed, in percent
  bool timed = false;             ///< a time, a speed, or a ratio of such: it has quartiles over rounds
  std::string errors_over = {};  ///< what a single run's standard error is over: "documents"; "" if not known
};

struct PublishedFigure {
  double value;
  std::string written;  ///< with the digits of the file
  std::string row;      ///< name of the published row
  std::string name;     ///< the same; "" where the row that it stands in says it
};

struct TableRow {
  enum class Kind { ours, floor, published } kind = Kind::ours;
  std::string name, label;
  std::string floor;                             ///< of a floor: its name without a condition
  std::map<std::string, std::string> condition;  ///< swept keys beside label and seed
  int64_t done = 0, total = 0;                   ///< runs
  std::map<std::string, Estimate> figures;       ///< by column
  std::map<std::string, std::vector<PublishedFigure>> published;  ///< by column
  std::string notes;                                              ///< what is missing or failed, and why
  std::vector<std::string> ids;
  std::map<std::string, std::string> origin;
  std::vector<std::size_t> members;    ///< of our case: its runs, by their place among the experiment's
  std::vector<int64_t> missing_seeds;  ///< see CaseFigures
};

struct ExperimentTable {
  std::vector<TableColumn> columns;
  std::vector<TableRow> rows;
  std::string source;                          ///< of the published figures; "" where there are none
  std::vector<std::string> departures;         ///< from the recipe that the experiment follows
  std::vector<Compare::Reference> references;  ///< that the ratios are to
  std::vector<std::string> unreadable;         ///< why, of records that have no place in the rows
};

/// `wanted`: names of headlines, in the order to print them, each with its ratios; empty: all that some run
/// has. Throws UserError for a name that no task of the experiment has.
ExperimentTable experiment_table(const ExperimentRuns& runs, const std::vector<std::string>& wanted);

}  // namespace attnlab
