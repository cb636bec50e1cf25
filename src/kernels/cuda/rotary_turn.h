// Rotary positions on the GPU: queries and keys of a layer turned in one launch, where Torch's operators take
// four each. As by those, each product and each sum is rounded to the type of the tensors.
//
// Compiled for sm_80 and sm_90a. The algorithm is tested on the CPU in an emulated block of threads,
// tests/kernels/cuda_emulated_rotary_test.cpp; the kernel has not run on a GPU yet.
//
// N tokens, H query heads, K key-value heads, d = 2·half numbers a head. Pairs are (i, i + half).
#pragma once

#include <cstdint>

#include "kernels/cuda/bounded_step.h"
#include "kernels/cuda/numbers.h"

namespace attnlab::cuda {

/// Pairs that a thread block turns, all of one token.
constexpr int turned_pairs = 1024;

/// Pointers are to the device's memory, contiguous, all of one type.
struct TurnCall {
  Type type = Type::fp32;
  int64_t tokens = 0;
  int heads = 1, kv_heads = 1, half = 1;
  const void *q = nullptr, *k = nullptr;            ///< [N, H, d]; [N, K, d]
  const void *cosines = nullptr, *sines = nullptr;  ///< [N, half]
  void *turned_q = nullptr, *turned_k = nullptr;    ///< not q and k

  ATTNLAB_ANYWHERE int pairs() const { return (heads + kv_heads) * half; }
  ATTNLAB_ANYWHERE int parts() const { return (pairs() + turned_pairs - 1) / turned_pairs; }
  ATTNLAB_ANYWHERE int64_t units() const { return tokens * parts(); }  ///< one thread block each
};

const char* turn_pairs(const TurnCall& call, CUstream_st* stream);

template <class T>
ATTNLAB_DEVICE float rounded(float x) {
  T y;
  narrow(x, y);
  return widened(y);
}

/// A part of one token's heads, queries' first.
template <class T, class Block>
ATTNLAB_DEVICE void turn_unit(Block& block, const TurnCall& a, int64_t unit) {
  const int64_t token = unit / a.parts();
  const int first = static_cast<int>(unit % a.parts()) * turned_pairs, rest = a.pairs() - first;
  const T *cosines = static_cast<const T*>(a.cosines) + token * a.half,
          *sines = static_cast<const T*>(a.sines) + token * a.half;
  block.for_each(rest < turned_pairs ? rest : turned_pairs, [&](int n) {
    const int head = (first + n) / a.half, i = (first + n) % a.half;
    const bool is_key = head >= a.heads;
    const int64_t row = is_key ? token * a.kv_heads + head - a.heads : token * a.heads + head;
    const T* x = static_cast<const T*>(is_key ? a.k : a.q) + row * 2 * a.half + i;
    T* y = static_cast<T*>(is_key ? a.turned_k : a.turned_q) + row * 2 * a.half + i;
    const float one = widened(x[0]), other = widened(x[a.half]), c = widened(cosines[i]),
                s = widened(sines[i]);
    narrow(rounded<T>(multiply(one, c)) - rounded<T>(multiply(other, s)), y[0]);
    narrow(rounded<T>(multiply(other, c)) + rounded<T>(multiply(one, s)), y[a.half]);
  });
}

}  // namespace attnlab::cuda
