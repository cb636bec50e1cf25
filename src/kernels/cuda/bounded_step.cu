// bounded_step.h: the algorithms of lanes.h on thread blocks, and their launches.
#include "kernels/cuda/bounded_step.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "kernels/cuda/block.h"
#include "kernels/cuda/lanes.h"

namespace attnlab::cuda {
namespace {

/// Shared memory of one block whose units take N query heads at a time.
template <int N>
struct Shared {
  alignas(16) float memory[N * floats_per_thread * block_threads];
  alignas(16) unsigned char exchange[block_threads / warp_lanes * exchanged_bytes];
};

template <int N, class T>
__global__ void __launch_bounds__(block_threads) step_kernel(StepCall a) {
  __shared__ Shared<N> shared;
  Block block(shared.memory, shared.exchange);
  step_unit<N, T>(block, a, blockIdx.x);
}

template <int N, class T>
__global__ void __launch_bounds__(block_threads) decode_kernel(DecodeCall a) {
  __shared__ Shared<N> shared;
  Block block(shared.memory, shared.exchange);
  decode_unit<N, T>(block, a, blockIdx.x);
}

template <int N>
__global__ void __launch_bounds__(block_threads) lane_kernel(DecodeCall a) {
  __shared__ Shared<N> shared;
  Block block(shared.memory, shared.exchange);
  decode_lane<N>(block, a, blockIdx.x);
}

/// Returns when `target` blocks have come; what they wrote before is seen after. All of them must be running.
__device__ void meet(unsigned* come, unsigned target) {
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    atomicAdd(come, 1u);
    while (*static_cast<volatile unsigned*>(come) < target) {
    }
    __threadfence();
  }
  __syncthreads();
}

template <int N, class T>
__global__ void __launch_bounds__(block_threads) text_kernel(TextCall a, TextSpace space, int first) {
  __shared__ Shared<N> shared;
  Block block(shared.memory, shared.exchange);
  const int unit = first + blockIdx.x, heads = a.rule.apart ? 1 : a.shape.kv_heads;
  TextState state;
  for (int t = 0; t < a.tokens; ++t) {
    if (!text_unit<N, T>(block, a, space, state, unit, t)) continue;
    if (heads > 1) meet(space.meetings + unit / heads, static_cast<unsigned>(heads) * (state.decisions + 1));
    text_decision(block, a, space, state, unit, t);
  }
}

template <int N_, class T_>
struct Kind {
  static constexpr int N = N_;
  using T = T_;
};

/// body(Kind<N, T>()) for the shape's group and type.
template <class Body>
const char* for_kind(const Shape& shape, Body body) {
  const bool alone = heads_at_once(shape) == 1;
  if (shape.type == Type::fp32) return alone ? body(Kind<1, float>()) : body(Kind<4, float>());
  return alone ? body(Kind<1, Bfloat16>()) : body(Kind<4, Bfloat16>());
}

const char* failure(cudaError_t status) {
  if (status == cudaSuccess) return nullptr;
  cudaGetLastError();  // a later launch is not to report it again
  return cudaGetErrorString(status);
}

const char* refusal(const Shape& s, std::initializer_list<const void*> rows) {
  if (s.batch < 1 || s.heads < 1 || s.kv_heads < 1 || s.heads % s.kv_heads != 0)
    return "the key-value heads do not divide the query heads, or there are none";
  if (s.d < 4 || s.d % 4 != 0 || s.d > 512) return "the head size must be a multiple of 4 up to 512 on CUDA";
  const uintptr_t alignment = s.type == Type::fp32 ? 16 : 8;
  for (const void* x : rows)
    if (reinterpret_cast<uintptr_t>(x) % alignment != 0)
      return "q, k and v must be aligned to four numbers on CUDA";
  return nullptr;
}

const char* refusal(const Rule& rule) {
  if (rule.size < 1) return "a cache must hold a state at least";
  return rule.protect_first > rule.size ? "more states are protected than the cache holds" : nullptr;
}

int text_slots(const TextCall& call) { return std::min(call.rule.size, call.tokens) + 1; }

TextSpace divide(const TextCall& call) {
  const int64_t slots = text_slots(call), units = call.shape.units(), each = units * slots;
  TextSpace space;
  space.slots = static_cast<int>(slots);
  space.columns = static_cast<int64_t*>(call.workspace);
  space.weights = reinterpret_cast<float*>(space.columns + each);
  space.shares = space.weights + each * heads_at_once(call.shape);
  space.meetings = reinterpret_cast<unsigned*>(space.shares + 2 * each);
  return space;
}

/// Units that can be on the device together, a whole number of sequences; 0: not even one sequence's.
template <class Kernel>
cudaError_t units_together(Kernel kernel, const Shape& shape, int& units) {
  int device = 0, processors = 0, each = 0;
  cudaError_t status = cudaGetDevice(&device);
  if (status == cudaSuccess)
    status = cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device);
  if (status == cudaSuccess)
    status = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&each, kernel, block_threads, 0);
  units = std::min(shape.units(), processors * each) / shape.kv_heads * shape.kv_heads;
  return status;
}

}  // namespace

std::size_t step_workspace(const Shape& shape, int slots) {
  return sizeof(float) * shape.units() * slots * (heads_at_once(shape) + 1);
}

std::size_t text_workspace(const TextCall& call) {
  const std::size_t each = static_cast<std::size_t>(call.shape.units()) * text_slots(call);
  return each * (sizeof(int64_t) + sizeof(float) * (heads_at_once(call.shape) + 2)) +
         sizeof(unsigned) * call.shape.units();
}

const char* bounded_step(const StepCall& call, CUstream_st* stream) {
  if (const char* reason = refusal(call.shape, {call.q, call.k, call.v})) return reason;
  return for_kind(call.shape, [&](auto kind) {
    step_kernel<kind.N, typename decltype(kind)::T><<<call.shape.units(), block_threads, 0, stream>>>(call);
    return failure(cudaGetLastError());
  });
}

const char* decode_step(const DecodeCall& call, CUstream_st* stream) {
  if (const char* reason = refusal(call.shape, {call.q, call.k, call.v, call.kept_k, call.kept_v}))
    return reason;
  if (const char* reason = refusal(call.rule)) return reason;
  return for_kind(call.shape, [&](auto kind) {
    decode_kernel<kind.N, typename decltype(kind)::T><<<call.shape.units(), block_threads, 0, stream>>>(call);
    if (const char* reason = failure(cudaGetLastError())) return reason;
    const int lanes = call.rule.apart ? call.shape.units() : call.shape.batch;
    lane_kernel<kind.N><<<lanes, block_threads, 0, stream>>>(call);
    return failure(cudaGetLastError());
  });
}

const char* tova_text(const TextCall& call, CUstream_st* stream) {
  if (const char* reason = refusal(call.shape, {call.q, call.k, call.v})) return reason;
  if (const char* reason = refusal(call.rule)) return reason;
  TextSpace space = divide(call);
  const std::size_t meetings = sizeof(unsigned) * call.shape.units();
  if (const char* reason = failure(cudaMemsetAsync(space.meetings, 0, meetings, stream))) return reason;
  return for_kind(call.shape, [&](auto kind) {
    const auto kernel = text_kernel<kind.N, typename decltype(kind)::T>;
    int together = 0;
    if (const char* reason = failure(units_together(kernel, call.shape, together))) return reason;
    if (together == 0)
      return "a sequence has more key-value heads than this device runs thread blocks at a time";
    TextCall copy = call;
    for (int first = 0; first < call.shape.units(); first += together) {
      void* arguments[] = {&copy, &space, &first};
      const int units = std::min(together, call.shape.units() - first);
      const cudaError_t status = cudaLaunchCooperativeKernel(
          reinterpret_cast<const void*>(kernel), dim3(units), dim3(block_threads), arguments, 0, stream);
      if (const char* reason = failure(status)) return reason;
    }
    return failure(cudaGetLastError());
  });
}

}  // namespace attnlab::cuda
