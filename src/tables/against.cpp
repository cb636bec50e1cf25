#include "tables/against.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

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

/// The single values of a figure in a case's runs, beside the seeds of those.
struct SeededValues {
  std::vector<int64_t> seeds;
  std::vector<SingleValues> values;

  SingleValues mean() const { return mean_of(values); }
  std::set<int64_t> different() const { return {seeds.begin(), seeds.end()}; }
  void keep(const std::set<int64_t>& some);
};

void SeededValues::keep(const std::set<int64_t>& some) {
  SeededValues kept;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    if (!some.contains(seeds[i])) continue;
    kept.seeds.push_back(seeds[i]);
    kept.values.push_back(std::move(values[i]));
  }
  *this = std::move(kept);
}

SeededValues values_of(const std::vector<const TableRun*>& runs, const std::string& figure) {
  SeededValues all;
  for (const TableRun* run : runs)
    if (SingleValues one = single_values(run->record, figure); !one.empty()) {
      all.seeds.push_back(run->seed);
      all.values.push_back(std::move(one));
    }
  return all;
}

/// Leaves the runs of seeds that both sides have, since a third seed on one of them would be compared with
/// nothing; all of them where no seed is common. Says what that means for the row.
std::string pair_seeds(SeededValues& ours, SeededValues& theirs) {
  const std::set<int64_t> a = ours.different(), b = theirs.different();
  if (a == b) return "";
  std::set<int64_t> common, alone;
  std::ranges::set_intersection(a, b, std::inserter(common, common.end()));
  std::ranges::set_symmetric_difference(a, b, std::inserter(alone, alone.end()));
  if (common.empty())
    return fmt::format("no seed in common: {} against {}", fmt::join(a, ", "), fmt::join(b, ", "));
  ours.keep(common);
  theirs.keep(common);
  return fmt::format("without seed{} {}, which one side lacks", alone.size() > 1 ? "s" : "",
                     fmt::join(alone, ", "));
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

/// Of the runs that are done: all that are listed, or those `wanted`, which need not be.
std::vector<std::string> figures_of(const std::vector<const TableRun*>& runs,
                                    const std::vector<std::string>& wanted) {
  if (!wanted.empty() || runs.empty()) return wanted;
  return figures_of_single_values(runs.front()->record);
}

/// Where runs are done and none of them has single values of a figure that is wanted.
void refuse_unpaired(const ExperimentFigures& all, const ExperimentRuns& runs,
                     const std::vector<std::string>& wanted) {
  std::vector<const TableRun*> done;
  std::vector<std::string> known;
  for (const CaseFigures& one : all.cases)
    for (const TableRun* run : runs_that_are_done(one, runs)) {
      done.push_back(run);
      for (const std::string& name : figures_of_single_values(run->record))
        if (std::find(known.begin(), known.end(), name) == known.end()) known.push_back(name);
    }
  for (const std::string& name : wanted)
    if (!known.empty() && values_of(done, name).values.empty())
      user_error(
          "--columns: '{}' is not recorded question by question, example by example or document by document, "
          "so that --against cannot pair it; of these runs it can pair {}",
          name, fmt::join(known, ", "));
}

/// Empty where the two have no thing in common.
std::vector<std::string> row_of(const std::string& row, const std::string& figure, SeededValues ours,
                                SeededValues theirs, bool csv) {
  std::string notes = pair_seeds(ours, theirs);
  const SingleValues values = ours.mean(), beside = theirs.mean();
  const DifferenceOfValues found = paired_difference(values, beside);
  if (found.things() == 0) return {};
  if (const int64_t others = over_other_tokens(values, beside); others > 0)
    notes += fmt::format("{}{} document{} over another number of tokens", notes.empty() ? "" : "; ", others,
                         others > 1 ? "s" : "");
  const std::string runs = std::to_string(ours.values.size());
  const std::string their_runs = std::to_string(theirs.values.size());
  std::vector<std::string> line{row, runs == their_runs ? runs : runs + "/" + their_runs, figure};
  const std::vector<std::string> numbers = cells_of_difference(found, values, csv);
  line.insert(line.end(), numbers.begin(), numbers.end());
  line.push_back(notes);
  return line;
}

}  // namespace

TextTable against(const ExperimentRuns& runs, const std::string& reference,
                  const std::vector<std::string>& wanted, bool csv) {
  const ExperimentFigures all = collect_figures(runs);
  refuse_unknown(all, reference);
  refuse_unpaired(all, runs, wanted);
  TextTable table{{"case", "runs", "figure"}, {}, {false, true, false}};
  const std::vector<std::string> rest =
      csv ? std::vector<std::string>{"kind", "value", "standard_error", "over", "higher", "lower", "equal"}
          : std::vector<std::string>{"less " + reference + " ± standard error", "over", "higher", "lower",
                                     "equal"};
  table.header.insert(table.header.end(), rest.begin(), rest.end());
  table.numbers.resize(table.header.size(), true);
  table.header.emplace_back("notes");
  table.numbers.push_back(false);
  for (const CaseFigures& one : all.cases) {
    const CaseFigures* other = reference_of(one, all, reference);
    if (!other || other == &one) continue;
    const auto ours = runs_that_are_done(one, runs), theirs = runs_that_are_done(*other, runs);
    for (const std::string& figure : figures_of(ours, wanted))
      if (auto line = row_of(one.row, figure, values_of(ours, figure), values_of(theirs, figure), csv);
          !line.empty())
        table.rows.push_back(std::move(line));
  }
  if (table.rows.empty())
    user_error(
        "--against {}: there is nothing to pair: no other row that is done has a figure of the same "
        "questions, examples or documents",
        reference);
  return table;
}

std::string against_legend(const std::string& reference) {
  return fmt::format(
      "\nPaired with {} over the same questions, examples or documents: the mean difference with its "
      "standard error over them,\nof perplexity the geometric mean of the ratios less 1; higher, lower, "
      "equal: on how many. Runs of the same seeds are compared,\nseveral averaged first.\n",
      reference);
}

}  // namespace attnlab
