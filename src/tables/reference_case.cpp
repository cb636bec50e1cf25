#include "tables/reference_case.h"

#include <algorithm>

namespace attnlab {

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
