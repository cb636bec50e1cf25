#include "tables/reference_case.h"

#include <algorithm>
#include <vector>

namespace attnlab {

namespace {

/// Whether all that is swept in `other` has the same value in `one`, which may set it in its own case.
bool sets_alike(const CaseFigures& one, const CaseFigures& other) {
  return std::all_of(other.condition.begin(), other.condition.end(), [&](const auto& swept) {
    const auto ours = one.settings.find(swept.first);
    return ours != one.settings.end() && ours->second == swept.second;
  });
}

}  // namespace

const CaseFigures* reference_case(const CaseFigures& one, const ExperimentFigures& all,
                                  const std::string& label) {
  std::vector<const CaseFigures*> alike;
  for (const CaseFigures& other : all.cases) {
    if (other.label != label) continue;
    if (other.condition == one.condition) return &other;
    if (sets_alike(one, other)) alike.push_back(&other);
  }
  return alike.size() == 1 ? alike.front() : nullptr;
}

const Figure* figure_of(const CaseFigures* one, const std::string& name) {
  if (!one) return nullptr;
  const auto found = one->figures.find(name);
  return found == one->figures.end() || found->second.values.empty() ? nullptr : &found->second;
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

}  // namespace attnlab
