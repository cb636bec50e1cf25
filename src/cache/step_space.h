// What one native step works on, kept between steps so that nothing is allocated; by sequence and key-value
// head.
#pragma once

#include <cstdint>
#include <vector>

namespace attnlab {

struct StepSpace {
  std::vector<const float*> bias;
  std::vector<int64_t> extent;
  std::vector<float> shares, scratch;

  void resize(int64_t units, int64_t slots) {
    bias.resize(units);
    extent.resize(units);
    shares.resize(units * slots);
  }
};

}  // namespace attnlab
