// Floors as rows of their own: what can be had from the same data without the thing measured.
#pragma once

#include <string>
#include <vector>

#include "tables/figures.h"

namespace attnlab {

struct Floor {
  std::string name;    ///< "majority class"; where floors differ between cases "majority class, length=1024"
  std::string row;     ///< "majority class"
  std::string metric;  ///< the headline that it is a floor of
  std::map<std::string, std::string> condition;  ///< the swept keys that decide it; empty: none does
  Figure figure;
};

/// One row for each floor of the tasks. Where the cases' floors differ, one for each value of the swept key
/// that decides them, or for each case where no key alone does.
std::vector<Floor> floors_of(const ExperimentFigures& all);

}  // namespace attnlab
