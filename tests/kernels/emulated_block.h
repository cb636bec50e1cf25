// A block of CUDA threads on the CPU (kernels/cuda/block.h): the threads of a phase one after the other,
// first to last or last to first. An algorithm in which a thread reads what another one writes in the same
// phase gives different results in the two orders.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/cuda/block.h"

namespace attnlab::cuda {

struct BlockKind {
  int threads = 32;  ///< whole warps
  bool backwards = false;
};

class EmulatedBlock {
 public:
  EmulatedBlock(BlockKind kind, int heads)
      : kind_(kind),
        memory_(static_cast<size_t>(kind.threads) * floats_per_thread * heads,
                std::numeric_limits<float>::quiet_NaN()) {}

  int threads() const { return kind_.threads; }
  float* memory() { return memory_.data(); }

  template <class Body>
  void each_thread(Body body) {
    for (int i = 0; i < kind_.threads; ++i) body(turn(i, kind_.threads));
  }

  template <class Body>
  void for_each(int n, Body body) {
    each_thread([&](int thread) {
      for (int i = thread; i < n; i += kind_.threads) body(i);
    });
  }

  template <class T, class Term, class Combine>
  T reduce(int n, T none, Term term, Combine combine) {
    std::vector<T> of_threads(kind_.threads, none), of_warps(warp_lanes, none);
    each_thread([&](int thread) {
      for (int i = thread; i < n; i += kind_.threads)
        of_threads[thread] = combine(of_threads[thread], term(i));
    });
    for (int w = 0; w < warps(); ++w) of_warps[w] = across_lanes(of_threads.data() + w * warp_lanes, combine);
    return across_lanes(of_warps.data(), combine);
  }

  template <class T, class Load, class Take, class Add, class Store>
  void sum_rows(int rows, int pieces, Load load, Take take, Add add, Store store) {
    for (int i = 0; i < warps(); ++i)
      for (int first = turn(i, warps()); first < rows; first += warps() * rows_at_once)
        for (int r = 0; r < rows_at_once && first + r * warps() < rows; ++r) {
          const int row = first + r * warps();
          T sums[warp_lanes] = {};
          for (int lane = 0; lane < warp_lanes; ++lane)
            for (int piece = 0; piece < pieces; ++piece)
              take(sums[lane], load(row, lane, piece), lane, piece);
          store(row, across_lanes(sums, add));
        }
  }

 private:
  int warps() const { return kind_.threads / warp_lanes; }
  int turn(int i, int count) const { return kind_.backwards ? count - 1 - i : i; }

  /// What every lane holds after exchanges with its neighbours 16, 8, 4, 2 and 1 lanes away.
  template <class T, class Combine>
  static T across_lanes(const T* lanes, Combine combine) {
    T now[warp_lanes], next[warp_lanes];
    std::copy_n(lanes, warp_lanes, now);
    for (int mask = warp_lanes / 2; mask > 0; mask /= 2) {
      for (int lane = 0; lane < warp_lanes; ++lane) next[lane] = combine(now[lane], now[lane ^ mask]);
      std::copy_n(next, warp_lanes, now);
    }
    return now[0];
  }

  BlockKind kind_;
  std::vector<float> memory_;
};

}  // namespace attnlab::cuda
