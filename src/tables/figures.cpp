#include "tables/figures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/quantiles.h"

namespace attnlab {
namespace {

CaseFigures& case_of(ExperimentFigures& all, const TableRun& run) {
  for (auto& one : all.cases)
    if (one.row == run.row) return one;
  CaseFigures& made = all.cases.emplace_back();
  made.row = run.row;
  made.label = run.label;
  made.condition = run.condition;
  made.settings = run.settings;
  made.published = run.published;
  made.limit = run.limit;
  return made;
}

void add_done(CaseFigures& one, const TableRun& run, const RunRecord& record) {
  one.ids.push_back(run.id);
  for (const auto& [name, summary] : record.summaries) {
    one.figures[name].values.push_back(summary.value);
    one.figures[name].standard_errors.push_back(summary.standard_error);
    one.figures[name].seeds.push_back(run.seed);
    one.figures[name].counts.push_back(summary.n);
  }
  if (!one.origin.empty()) return;
  static const std::set<std::string> told{"git_commit", "git_dirty", "cpu",       "gpu",    "device",
                                          "threads",    "finished",  "cpu_clock", "memory", "version_torch"};
  for (const auto& [name, value] : record.attributes)
    if (told.contains(name) || name.ends_with("_checksum")) one.origin[name] = text_of(value);
}

void add_status(CaseFigures& one, const RunState& state) {
  StatusCount& count = one.statuses[state.status];
  ++count.runs;
  if (count.reason.empty()) count.reason = first_sentence(state.error);
}

/// A stale run has been done; its figures count, and its row says that it is stale.
bool has_figures(const std::string& status) { return status == "done" || status == "stale"; }

/// Records alone do not say what was never started; but where the models of a sweep were run with three
/// seeds, one with two lacks one.
std::vector<int64_t> missing_seeds(const CaseFigures& one, const ExperimentFigures& all) {
  std::set<int64_t> seeds;
  for (const auto& other : all.cases)
    if (one.label.empty() || other.condition == one.condition)
      seeds.insert(other.seeds.begin(), other.seeds.end());
  for (const int64_t seed : one.seeds) seeds.erase(seed);
  return {seeds.begin(), seeds.end()};
}

}  // namespace

double Figure::mean() const {
  if (values.empty()) return Estimate::none;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double Figure::deviation() const {
  if (values.size() < 2) return Estimate::none;
  // From the first value, so that equal ones have none; their mean may be rounded.
  double sum = 0, squares = 0;
  for (const double v : values) sum += v - values[0];
  const double centre = values[0] + sum / static_cast<double>(values.size());
  for (const double v : values) squares += (v - centre) * (v - centre);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

Estimate Figure::estimate() const {
  if (values.empty()) return {};
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  Estimate found{.value = mean(), .deviation = deviation(), .least = *least, .most = *most};
  found.runs = static_cast<int64_t>(values.size());
  if (standard_errors.size() == 1) found.standard_error = standard_errors[0];
  if (values.size() < kFewestForQuartiles) return found;
  found.lower_quartile = quantile(values, 0.25);
  found.median = median(values);
  found.upper_quartile = quantile(values, 0.75);
  return found;
}

int64_t CaseFigures::runs() const {
  int64_t count = 0;
  for (const auto& [status, n] : statuses) count += n.runs;
  return count;
}

int64_t CaseFigures::done() const {
  int64_t count = 0;
  for (const auto& [status, n] : statuses)
    if (has_figures(status)) count += n.runs;
  return count;
}

Estimate CaseFigures::estimate(const std::string& figure) const {
  Estimate found = figures.at(figure).estimate();
  const auto first = figures.find(figure + first_quartile_of),
             third = figures.find(figure + third_quartile_of);
  const auto told = [&](const auto& quartile) {
    return quartile != figures.end() && quartile->second.counts.size() == 1 &&
           quartile->second.counts[0] >= static_cast<int64_t>(kFewestForQuartiles);
  };
  if (found.runs != 1 || !told(first) || !told(third)) return found;
  found.lower_quartile = first->second.values.at(0);
  found.median = found.value;
  found.upper_quartile = third->second.values.at(0);
  return found;
}

std::string CaseFigures::not_done() const {
  std::string words;
  for (const auto& [status, count] : statuses) {
    if (status == "done") continue;
    words += fmt::format("{}{} {}{}{}", words.empty() ? "" : "; ", count.runs, status,
                         count.reason.empty() ? "" : ": ", count.reason);
  }
  if (!missing_seeds.empty())
    words += fmt::format("{}no record of seed{} {}", words.empty() ? "" : "; ",
                         missing_seeds.size() > 1 ? "s" : "", fmt::join(missing_seeds, ", "));
  return words;
}

ExperimentFigures collect_figures(const ExperimentRuns& runs) {
  ExperimentFigures all{runs.headlines, {}};
  for (std::size_t i = 0; i < runs.runs.size(); ++i) {
    const TableRun& run = runs.runs[i];
    CaseFigures& one = case_of(all, run);
    one.members.push_back(i);
    one.seeds.push_back(run.seed);
    add_status(one, run.state);
    if (has_figures(run.state.status) && run.state.record) add_done(one, run, *run.state.record);
  }
  if (!runs.complete)
    for (auto& one : all.cases) one.missing_seeds = missing_seeds(one, all);
  return all;
}

std::string first_sentence(const std::string& text) {
  constexpr std::size_t most = 120;
  std::string sentence = text.substr(0, std::min(text.find('\n'), text.find(". ")));
  if (sentence.ends_with('.')) sentence.pop_back();
  if (sentence.size() <= most) return sentence;
  std::size_t end = most;
  while ((static_cast<unsigned char>(sentence[end]) & 0xc0) == 0x80) --end;  // not within a character
  return sentence.substr(0, end) + "…";
}

}  // namespace attnlab
