#include "run/figures.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <variant>

#include "run/inputs.h"

namespace attnlab {
namespace {

std::string text_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* whole = std::get_if<int64_t>(&value)) return std::to_string(*whole);
  return fmt::format("{}", std::get<double>(value));
}

CaseFigures& case_of(ExperimentFigures& all, const PlannedRun& run) {
  for (auto& one : all.cases)
    if (one.row == run.row) return one;
  CaseFigures& made = all.cases.emplace_back();
  made.row = run.row;
  made.label = run.sets.label;
  for (const auto& assignment : run.sets.shown)
    if (assignment.path != "seed") made.condition[assignment.path] = to_line(assignment.value);
  made.limit = run.options.limit;
  made.values = values_of(run.options, run.sets.label);
  return made;
}

void add_done(CaseFigures& one, const PlannedRun& run, const RunRecord& record) {
  one.ids.push_back(run.id);
  for (const auto& [name, summary] : record.summaries) {
    one.figures[name].values.push_back(summary.value);
    one.figures[name].standard_errors.push_back(summary.standard_error);
  }
  if (!one.origin.empty()) return;
  for (const char* name :
       {"git_commit", "git_dirty", "cpu", "gpu", "device", "threads", "version_torch", "finished"})
    if (const auto found = record.attributes.find(name); found != record.attributes.end())
      one.origin[name] = text_of(found->second);
}

void add_status(CaseFigures& one, const RunState& state) {
  StatusCount& count = one.statuses[state.status];
  ++count.runs;
  if (count.reason.empty()) count.reason = first_sentence(state.error);
}

/// A stale run has been done; its figures count, and its row says that it is stale.
bool has_figures(const std::string& status) { return status == "done" || status == "stale"; }

}  // namespace

double Figure::mean() const {
  if (values.empty()) return Estimate::none;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double Figure::deviation() const {
  if (values.size() < 2) return Estimate::none;
  double squares = 0;
  for (const double v : values) squares += (v - mean()) * (v - mean());
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

Estimate Figure::estimate() const {
  return {mean(), deviation(), standard_errors.size() == 1 ? standard_errors[0] : Estimate::none};
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

std::string CaseFigures::not_done() const {
  std::string words;
  for (const auto& [status, count] : statuses) {
    if (status == "done") continue;
    words += fmt::format("{}{} {}{}{}", words.empty() ? "" : "; ", count.runs, status,
                         count.reason.empty() ? "" : ": ", count.reason);
  }
  return words;
}

ExperimentFigures collect_figures(const Plan& plan) {
  ExperimentFigures all{headlines_of(plan.runs), {}};
  InputCheck check;
  for (const auto& run : plan.runs) {
    CaseFigures& one = case_of(all, run);
    const RunState state = state_of(run, check);
    add_status(one, state);
    if (has_figures(state.status) && state.record) add_done(one, run, *state.record);
  }
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
