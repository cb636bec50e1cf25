#include "run/figures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <variant>

#include "config/writer.h"
#include "run/folder.h"

namespace attnlab {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

std::string label_without_seed(const PlannedRun& run) {
  Case one;
  for (const auto& assignment : run.assignments)
    if (assignment.path != "seed") one.assignments.push_back(assignment);
  return one.label();
}

std::string text_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* whole = std::get_if<int64_t>(&value)) return std::to_string(*whole);
  return fmt::format("{}", std::get<double>(value));
}

CaseFigures& case_of(ExperimentFigures& all, const std::string& label, const PlannedRun& run) {
  for (auto& one : all.cases)
    if (one.label == label) return one;
  CaseFigures& made = all.cases.emplace_back();
  made.label = label;
  made.limit = run.options.limit;
  RunOptions options = run.options;
  for (const auto& field : flatten(options)) made.options[field.path] = field.value;
  return made;
}

void add_headlines(ExperimentFigures& all, const PlannedRun& run) {
  for (const auto& headline : run.options.task->headlines())
    if (std::none_of(all.headlines.begin(), all.headlines.end(),
                     [&](const auto& h) { return h.name == headline.name; }))
      all.headlines.push_back(headline);
}

void add_done(CaseFigures& one, const PlannedRun& run, const RunRecord& record) {
  one.ids.push_back(run.id);
  for (const auto& [name, summary] : record.summaries) {
    Figure& figure = one.figures[name];
    figure.values.push_back(summary.value);
    figure.standard_error = figure.values.size() == 1 ? summary.standard_error : kNone;
  }
  if (!one.origin.empty()) return;
  for (const char* name :
       {"git_commit", "git_dirty", "cpu", "gpu", "device", "threads", "version_torch", "finished"})
    if (const auto found = record.attributes.find(name); found != record.attributes.end())
      one.origin[name] = text_of(found->second);
}

}  // namespace

double Figure::mean() const {
  if (values.empty()) return kNone;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double Figure::deviation() const {
  if (values.size() < 2) return kNone;
  double squares = 0;
  for (const double v : values) squares += (v - mean()) * (v - mean());
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

int64_t CaseFigures::runs() const {
  int64_t count = 0;
  for (const auto& [status, n] : statuses) count += n;
  return count;
}

ExperimentFigures collect_figures(const Plan& plan) {
  ExperimentFigures all;
  for (const auto& run : plan.runs) {
    add_headlines(all, run);
    CaseFigures& one = case_of(all, label_without_seed(run), run);
    const RunState state = state_of({run.folder});
    ++one.statuses[state.status];
    if (state.status == "done" && state.record) add_done(one, run, *state.record);
  }
  return all;
}

}  // namespace attnlab
