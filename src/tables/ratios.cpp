#include "tables/ratios.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace attnlab {
namespace {

const CaseFigures* reference_case(const CaseFigures& one, const ExperimentFigures& all,
                                  const std::string& label) {
  const auto found = std::find_if(all.cases.begin(), all.cases.end(), [&](const CaseFigures& other) {
    return other.label == label && other.condition == one.condition;
  });
  return found == all.cases.end() ? nullptr : &*found;
}

const Figure* figure_of(const CaseFigures* one, const std::string& name) {
  if (!one) return nullptr;
  const auto found = one->figures.find(name);
  return found == one->figures.end() || found->second.values.empty() ? nullptr : &found->second;
}

bool higher_is_better(const ExperimentFigures& all, const std::string& metric) {
  return std::any_of(all.headlines.begin(), all.headlines.end(), [&](const Headline& h) {
    return h.name == metric && h.better == Summary::Better::higher;
  });
}

double relative_deviation(const Estimate& e) {
  return std::isfinite(e.deviation) ? e.deviation / e.value : 0.0;
}

Estimate ratio(const Estimate& above, const Estimate& below) {
  if (!(above.value > 0) || !(below.value > 0)) return {};
  const double value = above.value / below.value;
  const double relative = std::hypot(relative_deviation(above), relative_deviation(below));
  return {value, relative > 0 ? value * relative : Estimate::none};
}

std::string why_missing(const CaseFigures& one, const CaseFigures* reference, const Comparison& c) {
  if (!reference) {
    std::string condition;
    for (const auto& [path, value] : one.condition)
      condition += (condition.empty() ? " with " : ", ") + path + "=" + value;
    return "the sweep has no " + c.label + condition;
  }
  const std::string states = reference->not_done();
  return reference->row + (states.empty() ? " has no " + c.metric : ": " + states);
}

}  // namespace

Ratios ratios_of(const CaseFigures& one, const ExperimentFigures& all, const Compare& compare) {
  Ratios ratios;
  std::set<std::string> told;
  for (const Comparison& c : compare.each()) {
    const Figure* ours = figure_of(&one, c.metric);
    if (!ours) continue;
    const CaseFigures* reference = reference_case(one, all, c.label);
    if (const Figure* theirs = figure_of(reference, c.metric)) {
      const bool inverse =
          c.kind == Comparison::Kind::speedup && !higher_is_better(all, c.metric);  // of times
      ratios.figures[c.name()] =
          inverse ? ratio(theirs->estimate(), ours->estimate()) : ratio(ours->estimate(), theirs->estimate());
    } else if (told.insert(c.reference).second) {
      ratios.missing += fmt::format("{}not compared with {}: {}", ratios.missing.empty() ? "" : "; ",
                                    c.reference, why_missing(one, reference, c));
    }
  }
  return ratios;
}

}  // namespace attnlab
