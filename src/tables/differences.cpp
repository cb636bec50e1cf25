#include "tables/differences.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "tables/reference_case.h"

namespace attnlab {
namespace {

/// By question, of one run; nothing where its record has no such table or column.
std::map<std::string, double> shares_of(const TableRun& run, const std::string& metric) {
  std::map<std::string, double> shares;
  try {
    const auto table = read_table(run.record, "/shares");
    const auto questions = table.find("question"), values = table.find(metric);
    if (questions == table.end() || values == table.end()) return {};
    for (std::size_t i = 0; i < questions->second.size(); ++i)
      shares[std::get<std::string>(questions->second[i])] = std::get<double>(values->second[i]);
  } catch (const UserError&) {
    return {};
  }
  return shares;
}

/// The one run of a case that has figures.
const TableRun* only_run(const CaseFigures& one, const ExperimentRuns& runs) {
  if (one.ids.size() != 1) return nullptr;
  for (const std::size_t i : one.members)
    if (runs.runs[i].id == one.ids[0]) return &runs.runs[i];
  return nullptr;
}

std::optional<Estimate> paired(const TableRun* ours, const TableRun* theirs, const std::string& metric) {
  if (!ours || !theirs) return std::nullopt;
  const auto a = shares_of(*ours, metric), b = shares_of(*theirs, metric);
  Figure differences;
  for (const auto& [question, value] : a)
    if (const auto other = b.find(question);
        other != b.end() && std::isfinite(value) && std::isfinite(other->second))
      differences.values.push_back(value - other->second);
  const auto n = static_cast<double>(differences.values.size());
  if (n == 0) return std::nullopt;
  return Estimate{
      .value = differences.mean(), .standard_error = differences.deviation() / std::sqrt(n), .runs = 1};
}

Estimate of_means(const Estimate& ours, const Estimate& theirs) {
  const double deviation = std::hypot(std::isfinite(ours.deviation) ? ours.deviation : 0.0,
                                      std::isfinite(theirs.deviation) ? theirs.deviation : 0.0);
  return {ours.value - theirs.value, deviation > 0 ? deviation : Estimate::none};
}

}  // namespace

Ratios differences_of(const CaseFigures& one, const ExperimentFigures& all, const ExperimentRuns& runs) {
  Ratios differences;
  for (const Comparison& c : runs.compare.each()) {
    const Figure* ours = figure_of(&one, c.metric);
    if (!ours || c.kind != Comparison::Kind::difference) continue;
    const CaseFigures* reference = reference_case(one, all, c.label);
    const Figure* theirs = figure_of(reference, c.metric);
    if (!theirs) {
      if (differences.missing.empty())
        differences.missing = "not compared with " + c.reference + ": " + why_missing(one, reference, c);
      continue;
    }
    const auto by_question = paired(only_run(one, runs), only_run(*reference, runs), c.metric);
    differences.figures[c.name()] =
        by_question ? *by_question : of_means(ours->estimate(), theirs->estimate());
  }
  return differences;
}

}  // namespace attnlab
