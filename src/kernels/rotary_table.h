// Angles of rotary positions, made ready.
#pragma once

#include <cstdint>

namespace attnlab {

/// Cosines and sines in fp32, [rows, d/2] by position from 0.
struct RotaryTable {
  const float *cosines = nullptr, *sines = nullptr;
  int64_t half = 0;  ///< d/2

  /// y = x [d], one head, its pairs (i, i + d/2) turned as at `position`. y is not x.
  void turn(int64_t position, const float* x, float* y) const {
    const float *c = cosines + position * half, *s = sines + position * half;
    for (int64_t i = 0; i < half; ++i) {
      y[i] = x[i] * c[i] - x[i + half] * s[i];
      y[i + half] = x[i + half] * c[i] + x[i] * s[i];
    }
  }
};

}  // namespace attnlab
