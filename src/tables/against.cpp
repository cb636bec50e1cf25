#include "tables/against.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "config/problems.h"
#include "core/error.h"
#include "tables/figures.h"
#include "tables/numbers.h"
#include "tables/reference_case.h"
#include "tables/single_values.h"

namespace attnlab {
namespace {

std::vector<const TableRun*> runs_that_are_done(const CaseFigures& one, const ExperimentRuns& runs) {
  std::vector<const TableRun*> done;
  for (const std::size_t i : one.members)
    if (std::find(one.ids.begin(), one.ids.end(), runs.runs[i].id) != one.ids.end())
      done.push_back(&runs.runs[i]);
  return done;
}

SingleValues values_of(const std::vector<const TableRun*>& runs, const std::string& figure) {
  std::vector<SingleValues> all;
  for (const TableRun* run : runs)
    if (SingleValues one = single_values(run->record, figure); !one.empty()) all.push_back(std::move(one));
  return mean_of(all);
}

const CaseFigures* reference_of(const CaseFigures& one, const ExperimentFigures& all,
                                const std::string& name) {
  const auto row = std::find_if(all.cases.begin(), all.cases.end(),
                                [&](const CaseFigures& other) { return other.row == name; });
  return row == all.cases.end() ? reference_case(one, all, name) : &*row;
}

void refuse_unknown(const ExperimentFigures& all, const std::string& reference) {
  std::vector<std::string> names;
  for (const CaseFigures& one : all.cases)
    for (const std::string& name : {one.row, one.label}) {
      if (name == reference) return;
      if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  user_error("--against: there is no row '{}'{}", reference, suggestion(reference, names));
}

/// In per cent for a ratio, since most lie near 1; otherwise in the figure's unit.
std::vector<std::string> cells_of_difference(const DifferenceOfValues& d, const SingleValues& ours,
                                             bool csv) {
  const double value = ours.logarithms ? std::expm1(d.mean) : d.mean;
  const double error = ours.logarithms ? (value + 1) * d.standard_error : d.standard_error;
  std::vector<std::string> line;
  if (csv)
    line = {ours.logarithms ? "relative" : "difference", csv_number(value), csv_number(error), ours.things};
  else
    line = {
        ours.logarithms ? with_uncertainty(100 * value, 100 * error) + " %" : with_uncertainty(value, error),
        fmt::format("{} {}", d.things(), ours.things)};
  for (const int64_t count : {d.higher, d.lower, d.equal}) line.push_back(std::to_string(count));
  return line;
}

std::vector<std::string> figures_among(const std::vector<const TableRun*>& runs,
                                       const std::vector<std::string>& wanted) {
  if (runs.empty()) return {};
  const std::vector<std::string> all = figures_of_single_values(runs.front()->record);
  if (wanted.empty()) return all;
  std::vector<std::string> some;
  for (const std::string& name : wanted)
    if (std::find(all.begin(), all.end(), name) != all.end()) some.push_back(name);
  return some;
}

}  // namespace

TextTable against(const ExperimentRuns& runs, const std::string& reference,
                  const std::vector<std::string>& wanted, bool csv) {
  const ExperimentFigures all = collect_figures(runs);
  refuse_unknown(all, reference);
  TextTable table{{"case", "runs", "figure"}, {}, {false, true, false}};
  const std::vector<std::string> rest =
      csv ? std::vector<std::string>{"kind", "value", "standard_error", "over", "higher", "lower", "equal"}
          : std::vector<std::string>{"less " + reference + ", ± over …", "over", "higher", "lower", "equal"};
  table.header.insert(table.header.end(), rest.begin(), rest.end());
  table.numbers.resize(table.header.size(), true);
  for (const CaseFigures& one : all.cases) {
    const CaseFigures* other = reference_of(one, all, reference);
    if (!other || other == &one) continue;
    const auto ours = runs_that_are_done(one, runs), theirs = runs_that_are_done(*other, runs);
    for (const std::string& figure : figures_among(ours, wanted)) {
      const SingleValues values = values_of(ours, figure);
      const DifferenceOfValues found = paired_difference(values, values_of(theirs, figure));
      if (found.things() == 0) continue;
      std::vector<std::string> line{one.row, std::to_string(ours.size()), figure};
      const std::vector<std::string> numbers = cells_of_difference(found, values, csv);
      line.insert(line.end(), numbers.begin(), numbers.end());
      table.rows.push_back(std::move(line));
    }
  }
  return table;
}

std::string against_legend(const std::string& reference) {
  return fmt::format(
      "\nPaired with {} over the same questions, examples or documents: the mean difference with its "
      "standard "
      "error over them,\nof perplexity the geometric mean of the ratios less 1; higher, lower, equal: on how "
      "many. Several seeds are averaged first.\n",
      reference);
}

}  // namespace attnlab
