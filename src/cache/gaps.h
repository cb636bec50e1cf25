// Positions far past those of training, compressed (Oren et al. 2024, for texts of 70,000 tokens).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace attnlab {

/// The distance that stands for a gap of `gap` ≥ 1 positions between neighbouring kept states: the gap itself
/// up to 10, then 10 + ln(ln(gap − 10 + e)), rounded up.
int64_t compressed_gap(int64_t gap);

/// The greatest distance that stands for any gap, so that positions of S states lie below S times this.
constexpr int64_t widest_gap = 14;

/// Positions of kept states, by slot, counted from 0 with compressed gaps; the memory is kept between calls.
class GapPositions {
 public:
  /// order: the how-manieth token a state is, −1 where a slot holds none; such slots get position 0.
  const std::vector<int64_t>& of(std::span<const int64_t> order);

 private:
  std::vector<int64_t> slots_, positions_;
};

}  // namespace attnlab
