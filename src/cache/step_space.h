// What one native step works on, kept between steps so that nothing is allocated; by sequence and key-value
// head.
#pragma once

#include <cstdint>
#include <vector>

#include "cache/gaps.h"

namespace attnlab {

struct StepSpace {
  std::vector<const float*> bias;
  std::vector<int64_t> extent, newest;
  std::vector<float> shares, figures, scratch;
  std::vector<GapPositions> gaps;  ///< by lane, where gaps are compressed
  std::vector<const int64_t*> positions;

  void resize(int64_t units, int64_t slots, bool with_figures = false) {
    bias.resize(units);
    extent.resize(units);
    newest.resize(units);
    positions.resize(units);
    shares.resize(units * slots);
    if (with_figures) figures.resize(units * slots);
  }
};

}  // namespace attnlab
