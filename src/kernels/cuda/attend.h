// What all kernels of bounded_step.cu are made of: one query token attends to the states of a key-value head,
// and the choice of the state that goes. Written for a block of threads in phases (block.h).
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/cuda/block.h"
#include "kernels/cuda/numbers.h"
#include "kernels/weight_scale.h"

namespace attnlab::cuda {

/// The query heads of one key-value head of one sequence, and where their results go.
template <class T>
struct Unit {
  int heads, d, n;    ///< d is a multiple of 4, at most 4 × the threads; n states, in slots 0 … n − 1
  const T* q;         ///< [heads, d]
  const float* bias;  ///< [n], added to the scaled logits, −inf: not seen; or null
  T* y;               ///< [heads, d]; 0 where a head sees nothing
  float* shares;      ///< [n]: weight_scale times softmax weights summed over the heads; or null
  float* weights;     ///< scratch, [N, stride]
  int64_t stride;
};

/// weight_scale·e^x for x ≤ 0: no factor leaves the range of fp32 where the product does not.
ATTNLAB_DEVICE float exp_scaled(float x) {
  const float root = expf(0.5f * x);
  return root * weight_scale * root;
}

/// N of the heads, from the first-th. key(s) and value(s) are the rows of slot s. Needs N · 4 floats a
/// thread.
template <int N, class T, class Block, class Key, class Value>
ATTNLAB_DEVICE void attend_heads(Block& block, const Unit<T>& u, int first, const Key& key,
                                 const Value& value) {
  const int d = u.d, n = u.n, heads = u.heads - first < N ? u.heads - first : N;
  const float scale = 1.0f / sqrtf(static_cast<float>(d));
  float* const weights = u.weights;
  const int64_t stride = u.stride;

  float* const q = block.memory();
  block.for_each(N * d, [&](int i) { q[i] = i < heads * d ? widened(u.q[first * d + i]) : 0.0f; });
  block.template sum_rows<Numbers<N>>(
      n,
      [&](int s, int lane) {
        Numbers<N> sum = same<N>(0.0f);
        const T* const row = key(s);
        for (int c = 4 * lane; c < d; c += 4 * warp_lanes) {
          const Numbers<4> k = four(row + c);
          for (int g = 0; g < N; ++g)
            for (int j = 0; j < 4; ++j) sum.of[g] += q[g * d + c + j] * k.of[j];
        }
        return sum;
      },
      Sum(),
      [&](int s, const Numbers<N>& sum) {
        const float bias = u.bias ? u.bias[s] : 0.0f;  // a slot that is not seen may hold anything, also NaN
        for (int g = 0; g < N; ++g)
          weights[g * stride + s] = bias == -INFINITY ? bias : sum.of[g] * scale + bias;
      });

  const auto of_slot = [&](int s) {
    Numbers<N> all;
    for (int g = 0; g < N; ++g) all.of[g] = weights[g * stride + s];
    return all;
  };
  const Numbers<N> top = block.reduce(n, same<N>(-INFINITY), of_slot, Larger());
  const auto exponential = [&](int s) {
    Numbers<N> all = of_slot(s);
    for (int g = 0; g < N; ++g)
      weights[g * stride + s] = all.of[g] = top.of[g] == -INFINITY ? 0.0f : exp_scaled(all.of[g] - top.of[g]);
    return all;
  };
  Numbers<N> inverse = block.reduce(n, same<N>(0.0f), exponential, Sum());
  for (float& x : inverse.of) x = x == 0.0f ? 0.0f : 1.0f / x;

  if (u.shares)
    block.for_each(n, [&](int s) {
      float sum = first > 0 ? u.shares[s] : 0.0f;
      for (int g = 0; g < N; ++g)
        if (g < heads) sum += weights[g * stride + s] * (weight_scale * inverse.of[g]);
      u.shares[s] = sum;
    });

  // Each thread sums four columns over every slices-th slot.
  const int columns = d / 4, slices = block.threads() / columns;
  float* const parts = block.memory();  // [slices, N, d]; the queries have been read
  block.each_thread([&](int thread) {
    const int slice = thread / columns, c = thread % columns * 4;
    if (slice >= slices) return;
    Numbers<4> sums[N];
    for (Numbers<4>& sum : sums) sum = same<4>(0.0f);
    for (int s = slice; s < n; s += slices) {
      const Numbers<4> v = four(value(s) + c);
      for (int g = 0; g < N; ++g) {
        const float weight = weights[g * stride + s];
        for (int j = 0; j < 4; ++j) sums[g].of[j] += weight == 0.0f ? 0.0f : weight * v.of[j];
      }
    }
    for (int g = 0; g < N; ++g)
      for (int j = 0; j < 4; ++j) parts[(slice * N + g) * d + c + j] = sums[g].of[j];
  });
  block.each_thread([&](int thread) {
    for (int g = 0; g < N; ++g)
      for (int c = thread; g < heads && c < d; c += block.threads()) {
        float sum = 0.0f;
        for (int slice = 0; slice < slices; ++slice) sum += parts[(slice * N + g) * d + c];
        narrow(sum * inverse.of[g], u.y[(first + g) * d + c]);
      }
  });
}

template <int N, class T, class Block, class Key, class Value>
ATTNLAB_DEVICE void attend(Block& block, const Unit<T>& u, const Key& key, const Value& value) {
  for (int first = 0; first < u.heads; first += N) attend_heads<N>(block, u, first, key, value);
}

/// Whose state may go next, and how little it is worth.
struct Candidate {
  int64_t order;  ///< when it came; INT64_MAX: nobody
  float score;
  int slot;
};

struct Lower {
  ATTNLAB_DEVICE Candidate operator()(const Candidate& a, const Candidate& b) const {
    const bool first = a.score < b.score || (a.score == b.score && a.order <= b.order);
    return first ? a : b;
  }
};

/// Of the states that came at order[s] ≥ `not_before` the one with the lowest score(s), the oldest of equals.
/// NaN counts as the highest.
template <class Block, class Score>
ATTNLAB_DEVICE Candidate lowest(Block& block, int n, const int64_t* order, int64_t not_before,
                                const Score& score) {
  const Candidate nobody{INT64_MAX, INFINITY, -1};
  return block.reduce(
      n, nobody,
      [&](int s) {
        if (order[s] < not_before) return nobody;
        const float x = score(s);
        return Candidate{order[s], x != x ? static_cast<float>(INFINITY) : x, s};
      },
      Lower());
}

}  // namespace attnlab::cuda
