#include "tables/differences.h"

#include <cmath>
#include <optional>

#include "tables/reference_case.h"
#include "tables/single_values.h"

namespace attnlab {
namespace {

/// The one run of a case that has figures.
const TableRun* only_run(const CaseFigures& one, const ExperimentRuns& runs) {
  if (one.ids.size() != 1) return nullptr;
  for (const std::size_t i : one.members)
    if (runs.runs[i].id == one.ids[0]) return &runs.runs[i];
  return nullptr;
}

std::optional<Estimate> paired(const TableRun* ours, const TableRun* theirs, const std::string& metric) {
  if (!ours || !theirs) return std::nullopt;
  const SingleValues a = single_values(ours->record, metric), b = single_values(theirs->record, metric);
  if (a.logarithms) return std::nullopt;  // the mean of their differences is no difference of the figures
  const DifferenceOfValues found = paired_difference(a, b);
  if (found.things() == 0) return std::nullopt;
  return Estimate{.value = found.mean, .standard_error = found.standard_error, .runs = 1};
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
    const auto pair_by_pair = paired(only_run(one, runs), only_run(*reference, runs), c.metric);
    differences.figures[c.name()] =
        pair_by_pair ? *pair_by_pair : of_means(ours->estimate(), theirs->estimate());
  }
  return differences;
}

}  // namespace attnlab
