// The case that another is compared with.
#pragma once

#include <string>

#include "config/compare.h"
#include "tables/figures.h"

namespace attnlab {

/// The case of this label in which every other swept key is the same; else the only one whose swept keys are
/// set to the same by this case: a reference that has a size of its own stands for every size. Null where
/// there is none.
const CaseFigures* reference_case(const CaseFigures& one, const ExperimentFigures& all,
                                  const std::string& label);

/// A figure of which there is some value; else null.
const Figure* figure_of(const CaseFigures* one, const std::string& name);

/// What to say where the reference, perhaps null, has no such figure.
std::string why_missing(const CaseFigures& one, const CaseFigures* reference, const Comparison& c);

}  // namespace attnlab
