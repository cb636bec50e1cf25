// A block of CUDA threads in phases: each call below is one phase, and ends when all threads have done their
// part of it. Algorithms written with nothing else need no barriers of their own, and run on the CPU as well,
// where tests/kernels/emulated_block.h takes the threads of a phase one after the other, in any order.
//
// Within a phase no thread may read what another one writes.
#pragma once

#include <cstring>

#ifdef __CUDACC__
#define ATTNLAB_DEVICE __device__ __forceinline__
#define ATTNLAB_ANYWHERE __host__ __device__
#define ATTNLAB_UNROLL _Pragma("unroll")
#else
#define ATTNLAB_DEVICE inline
#define ATTNLAB_ANYWHERE
#define ATTNLAB_UNROLL
#endif

namespace attnlab::cuda {

constexpr int warp_lanes = 32;
constexpr int block_threads = 512;
constexpr int rows_at_once = 4;  ///< rows that a warp has under way, so that it waits for memory less often
constexpr int exchanged_bytes = 32;

/// What a block of `threads` may use as memory: so many floats for each thread and query head.
constexpr int floats_per_thread = 4;

#ifdef __CUDACC__

template <class T>
__device__ __forceinline__ T of_lane_xor(T x, int mask) {
  static_assert(sizeof(T) % sizeof(unsigned) == 0);
  unsigned words[sizeof(T) / sizeof(unsigned)];
  std::memcpy(words, &x, sizeof x);
#pragma unroll
  for (unsigned& word : words) word = __shfl_xor_sync(0xffffffffu, word, mask);
  std::memcpy(&x, words, sizeof x);
  return x;
}

/// All threads of a thread block; every thread makes the same calls.
class Block {
 public:
  /// `exchange`: shared memory of exchanged_bytes a warp. `memory`: shared, for the algorithm.
  __device__ Block(float* memory, void* exchange) : memory_(memory), exchange_(exchange) {}

  static __device__ constexpr int threads() { return block_threads; }
  __device__ float* memory() const { return memory_; }

  /// body(thread) on every thread.
  template <class Body>
  __device__ __forceinline__ void each_thread(Body body) {
    body(static_cast<int>(threadIdx.x));
    __syncthreads();
  }

  /// body(i) for all i in [0, n).
  template <class Body>
  __device__ __forceinline__ void for_each(int n, Body body) {
    for (int i = threadIdx.x; i < n; i += block_threads) body(i);
    __syncthreads();
  }

  /// term(0) ∘ term(1) ∘ … in a fixed order, the same on all threads. `combine` commutes; `none` is its
  /// neutral element.
  template <class T, class Term, class Combine>
  __device__ __forceinline__ T reduce(int n, T none, Term term, Combine combine) {
    static_assert(sizeof(T) <= exchanged_bytes);
    T x = none;
    for (int i = threadIdx.x; i < n; i += block_threads) x = combine(x, term(i));
    x = across_lanes(x, combine);
    T* of_warps = static_cast<T*>(exchange_);
    const int lane = threadIdx.x % warp_lanes;
    if (lane == 0) of_warps[threadIdx.x / warp_lanes] = x;
    __syncthreads();
    x = lane < block_threads / warp_lanes ? of_warps[lane] : none;
    x = across_lanes(x, combine);
    __syncthreads();
    return x;
  }

  /// For each row: store(row, what add makes of all 32 lanes' sums), where a lane's sum begins with T{} and
  /// takes in load(row, lane, piece), piece after piece. A warp to a row; the loads of several rows are under
  /// way before the first is taken in. load may be asked for a row twice.
  template <class T, class Load, class Take, class Add, class Store>
  __device__ __forceinline__ void sum_rows(int rows, int pieces, Load load, Take take, Add add, Store store) {
    constexpr int warps = block_threads / warp_lanes;
    const int lane = threadIdx.x % warp_lanes;
    for (int first = threadIdx.x / warp_lanes; first < rows; first += warps * rows_at_once) {
      T sums[rows_at_once] = {};
      for (int piece = 0; piece < pieces; ++piece) {
        decltype(load(0, 0, 0)) raw[rows_at_once];
#pragma unroll
        for (int r = 0; r < rows_at_once; ++r) {
          const int row = first + r * warps;
          raw[r] = load(row < rows ? row : first, lane, piece);
        }
#pragma unroll
        for (int r = 0; r < rows_at_once; ++r) take(sums[r], raw[r], lane, piece);
      }
#pragma unroll
      for (int r = 0; r < rows_at_once; ++r) {
        sums[r] = across_lanes(sums[r], add);
        if (lane == 0 && first + r * warps < rows) store(first + r * warps, sums[r]);
      }
    }
    __syncthreads();
  }

 private:
  template <class T, class Combine>
  static __device__ __forceinline__ T across_lanes(T x, Combine combine) {
#pragma unroll
    for (int mask = warp_lanes / 2; mask > 0; mask /= 2) x = combine(x, of_lane_xor(x, mask));
    return x;
  }

  float* memory_;
  void* exchange_;
};

#endif

}  // namespace attnlab::cuda
