// The ratios that an experiment's `compare` asks for.
#pragma once

#include <map>
#include <string>

#include "config/compare.h"
#include "tables/figures.h"

namespace attnlab {

struct Ratios {
  std::map<std::string, Estimate> figures;  ///< by Comparison::name()
  std::string missing;                      ///< why some are not there; "" where none is missed
};

/// Of one case: ratios of the means over runs to those of the case with the reference's label in which every
/// other swept key is the same. The deviation adds the relative ones of both in squares.
Ratios ratios_of(const CaseFigures& one, const ExperimentFigures& all, const Compare& compare);

}  // namespace attnlab
