#include "tables/ratios.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tables/reference_case.h"

namespace attnlab {
namespace {

bool higher_is_better(const ExperimentFigures& all, const std::string& metric) {
  return std::any_of(all.headlines.begin(), all.headlines.end(), [&](const Headline& h) {
    return h.name == metric && h.better == Summary::Better::higher;
  });
}

double relative_deviation(const Estimate& e) {
  return std::isfinite(e.deviation) ? e.deviation / e.value : 0.0;
}

/// Of the means, with the deviations as if they were independent.
Estimate ratio_of_means(const Estimate& above, const Estimate& below) {
  if (!(above.value > 0) || !(below.value > 0)) return {};
  const double value = above.value / below.value;
  const double relative = std::hypot(relative_deviation(above), relative_deviation(below));
  return {value, relative > 0 ? value * relative : Estimate::none};
}

/// Runs of the same seeds are the rounds of a measurement: what disturbs the machine for a while disturbs
/// both runs of a round, so that each round has its own ratio.
Estimate ratio(const Figure& above, const Figure& below) {
  const auto has_ratios = [](const Figure& f) {
    return std::ranges::all_of(f.values, [](double value) { return value > 0; });
  };
  const bool rounds = above.seeds.size() > 1 && above.seeds == below.seeds;
  if (!rounds || !has_ratios(above) || !has_ratios(below))
    return ratio_of_means(above.estimate(), below.estimate());
  Figure of_rounds = above;
  for (std::size_t i = 0; i < below.values.size(); ++i) of_rounds.values[i] /= below.values[i];
  return of_rounds.estimate();
}

}  // namespace

Ratios ratios_of(const CaseFigures& one, const ExperimentFigures& all, const Compare& compare) {
  Ratios ratios;
  std::set<std::string> told;
  for (const Comparison& c : compare.each()) {
    const Figure* ours = figure_of(&one, c.metric);
    if (!ours || c.kind == Comparison::Kind::difference) continue;
    const CaseFigures* reference = reference_case(one, all, c.label);
    if (const Figure* theirs = figure_of(reference, c.metric)) {
      const bool inverse =
          c.kind == Comparison::Kind::speedup && !higher_is_better(all, c.metric);  // of times
      ratios.figures[c.name()] = inverse ? ratio(*theirs, *ours) : ratio(*ours, *theirs);
    } else if (told.insert(c.reference).second) {
      ratios.missing += fmt::format("{}not compared with {}: {}", ratios.missing.empty() ? "" : "; ",
                                    c.reference, why_missing(one, reference, c));
    }
  }
  return ratios;
}

}  // namespace attnlab
