// Numbers of a cache as they are stored: fp32, or bf16, the upper half of an fp32.
#pragma once

#include <bit>
#include <cstdint>

namespace attnlab {

inline void widen(int64_t n, const uint16_t* x, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = std::bit_cast<float>(static_cast<uint32_t>(x[i]) << 16);
}

/// Of numbers that bf16 holds: nothing is rounded.
inline void narrow(int64_t n, const float* x, uint16_t* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<uint16_t>(std::bit_cast<uint32_t>(x[i]) >> 16);
}

/// What is read: one of the two.
struct StoredRows {
  const float* fp32 = nullptr;
  const uint16_t* bf16 = nullptr;

  StoredRows operator+(int64_t numbers) const {
    return {fp32 ? fp32 + numbers : nullptr, bf16 ? bf16 + numbers : nullptr};
  }
  /// n numbers in fp32: themselves, or in `space`.
  const float* wide(int64_t n, float* space) const {
    if (fp32) return fp32;
    widen(n, bf16, space);
    return space;
  }
};

}  // namespace attnlab
