// The number types of keys and values, and rows read four numbers at a time. Compiles with and without CUDA.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/cuda/block.h"

namespace attnlab::cuda {

struct Bfloat16 {
  uint16_t bits;
};

/// N numbers, one for each query head of a key-value head that is read once for all of them.
template <int N>
struct Numbers {
  float of[N];
};

template <int N>
ATTNLAB_DEVICE Numbers<N> same(float x) {
  Numbers<N> all;
  for (float& one : all.of) one = x;
  return all;
}

struct Sum {
  template <int N>
  ATTNLAB_DEVICE Numbers<N> operator()(Numbers<N> a, const Numbers<N>& b) const {
    for (int i = 0; i < N; ++i) a.of[i] += b.of[i];
    return a;
  }
};

/// NaN is larger than all: fmaxf would lose it.
struct Larger {
  template <int N>
  ATTNLAB_DEVICE Numbers<N> operator()(Numbers<N> a, const Numbers<N>& b) const {
    for (int i = 0; i < N; ++i) a.of[i] = a.of[i] > b.of[i] || a.of[i] != a.of[i] ? a.of[i] : b.of[i];
    return a;
  }
};

ATTNLAB_DEVICE float widened(float x) { return x; }
ATTNLAB_DEVICE float widened(Bfloat16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float y;
  std::memcpy(&y, &bits, sizeof y);
  return y;
}

ATTNLAB_DEVICE void narrow(float x, float& y) { y = x; }
/// To the nearest, ties to even.
ATTNLAB_DEVICE void narrow(float x, Bfloat16& y) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  y.bits = static_cast<uint16_t>(x != x ? 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// Four neighbours, read at once: `row` is aligned to four numbers.
template <class T>
struct alignas(4 * sizeof(T)) Together {
  T of[4];
};
#ifdef __CUDA_ARCH__  // a vector type, else the promise of alignment is lost in unrolled loops
ATTNLAB_DEVICE Together<float> together(const float* row) {
  const float4 x = *reinterpret_cast<const float4*>(row);
  return {{x.x, x.y, x.z, x.w}};
}
ATTNLAB_DEVICE Together<Bfloat16> together(const Bfloat16* row) {
  const ushort4 x = *reinterpret_cast<const ushort4*>(row);
  return {{{x.x}, {x.y}, {x.z}, {x.w}}};
}
#else
template <class T>
Together<T> together(const T* row) {
  Together<T> all;
  std::memcpy(&all, row, sizeof all);
  return all;
}
#endif

template <class T>
ATTNLAB_DEVICE Numbers<4> widened(const Together<T>& x) {
  return {{widened(x.of[0]), widened(x.of[1]), widened(x.of[2]), widened(x.of[3])}};
}

template <class T>
ATTNLAB_DEVICE Numbers<4> four(const T* row) {
  return widened(together(row));
}

/// a·b + c, always in one rounding on a GPU: what two kernels compute alike is then equal to the bit.
ATTNLAB_DEVICE float multiply_add(float a, float b, float c) {
#ifdef __CUDA_ARCH__
  return __fmaf_rn(a, b, c);
#else
  return a * b + c;
#endif
}

/// a·b, never joined with a sum that follows.
ATTNLAB_DEVICE float multiply(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}

}  // namespace attnlab::cuda
