// The differences that an experiment's `compare` asks for: our figure less the reference's.
#pragma once

#include "tables/ratios.h"
#include "tables/table_run.h"

namespace attnlab {

/// Of one case, by Comparison::name(). Where both cases are one run whose records hold the figure's single
/// values, of questions or examples, the difference is paired over those that both have, with the standard
/// error of its mean, which is far below that of either figure where the same ones are hard for both. Else
/// that of the means, whose deviations add in squares.
Ratios differences_of(const CaseFigures& one, const ExperimentFigures& all, const ExperimentRuns& runs);

}  // namespace attnlab
