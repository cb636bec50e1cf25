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
  const float root = expf(multiply(0.5f, x));
  return multiply(multiply(root, weight_scale), root);
}

/// Whether slots that are not seen may hold anything, also NaN, which no weight of 0 takes away.
enum class Slots { all_numbers, any };

/// Columns that a warp reads of a row at a time.
constexpr int piece_columns = 4 * warp_lanes;

/// N of the heads, from the first-th. key(s) and value(s) are the rows of slot s. Needs N · 4 floats a
/// thread.
template <int N, Slots slots, class T, class Block, class Key, class Value>
ATTNLAB_DEVICE void attend_heads(Block& block, const Unit<T>& u, int first, const Key& key,
                                 const Value& value) {
  const int d = u.d, n = u.n, heads = u.heads - first < N ? u.heads - first : N;
  const float scale = 1.0f / sqrtf(static_cast<float>(d));
  float* const weights = u.weights;
  const int64_t stride = u.stride;

  float* const q = block.memory();
  block.for_each(N * d, [&](int i) { q[i] = i < heads * d ? widened(u.q[first * d + i]) : 0.0f; });
  block.template sum_rows<Numbers<N>>(
      n, (d + piece_columns - 1) / piece_columns,
      [&](int s, int lane, int piece) {
        // Beyond the row's end its last columns are read, and count for nothing.
        const int c = piece * piece_columns + 4 * lane;
        return together(key(s) + (c < d ? c : d - 4));
      },
      [&](Numbers<N>& sum, const Together<T>& raw, int lane, int piece) {
        const int c = piece * piece_columns + 4 * lane;
        if (c >= d) return;
        const Numbers<4> k = widened(raw);
        for (int g = 0; g < N; ++g)
          for (int j = 0; j < 4; ++j) sum.of[g] = multiply_add(q[g * d + c + j], k.of[j], sum.of[g]);
      },
      Sum(),
      [&](int s, const Numbers<N>& sum) {
        const float bias = u.bias ? u.bias[s] : 0.0f;
        for (int g = 0; g < N; ++g)
          weights[g * stride + s] = bias == -INFINITY ? bias
                                    : u.bias          ? multiply_add(sum.of[g], scale, bias)
                                                      : multiply(sum.of[g], scale);
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
        if (g < heads)
          sum = multiply_add(weights[g * stride + s], multiply(weight_scale, inverse.of[g]), sum);
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
    const auto add = [&](int s, const Together<T>& raw) {
      const Numbers<4> v = widened(raw);
      for (int g = 0; g < N; ++g) {
        const float weight = weights[g * stride + s];
        if (slots == Slots::any && weight == 0.0f) continue;
        for (int j = 0; j < 4; ++j) sums[g].of[j] = multiply_add(weight, v.of[j], sums[g].of[j]);
      }
    };
    // Several rows are asked for before the first is used: a load takes longer than all that is done with it.
    int s = slice;
    for (; s + (rows_at_once - 1) * slices < n; s += rows_at_once * slices) {
      Together<T> raw[rows_at_once];
      ATTNLAB_UNROLL
      for (int r = 0; r < rows_at_once; ++r) raw[r] = together(value(s + r * slices) + c);
      ATTNLAB_UNROLL
      for (int r = 0; r < rows_at_once; ++r) add(s + r * slices, raw[r]);
    }
    for (; s < n; s += slices) add(s, together(value(s) + c));
    for (int g = 0; g < N; ++g)
      for (int j = 0; j < 4; ++j) parts[(slice * N + g) * d + c + j] = sums[g].of[j];
  });
  block.each_thread([&](int thread) {
    for (int g = 0; g < N; ++g)
      for (int c = thread; g < heads && c < d; c += block.threads()) {
        float sum = 0.0f;
        for (int slice = 0; slice < slices; ++slice) sum += parts[(slice * N + g) * d + c];
        narrow(multiply(sum, inverse.of[g]), u.y[(first + g) * d + c]);
      }
  });
}

template <int N, Slots slots = Slots::all_numbers, class T, class Block, class Key, class Value>
ATTNLAB_DEVICE void attend(Block& block, const Unit<T>& u, const Key& key, const Value& value) {
  for (int first = 0; first < u.heads; first += N) attend_heads<N, slots>(block, u, first, key, value);
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
