// rotary_turn.h: its algorithm on thread blocks, and their launch.
#include "kernels/cuda/rotary_turn.h"

#include <cuda_runtime.h>

#include <limits>

namespace attnlab::cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(block_threads) turn_kernel(TurnCall a) {
  Block block(nullptr, nullptr);
  turn_unit<T>(block, a, blockIdx.x);
}

}  // namespace

const char* turn_pairs(const TurnCall& call, CUstream_st* stream) {
  if (call.units() > std::numeric_limits<int>::max())
    return "more tokens than rotary positions take at a time";
  const auto blocks = static_cast<unsigned>(call.units());
  if (call.type == Type::fp32)
    turn_kernel<float><<<blocks, block_threads, 0, stream>>>(call);
  else
    turn_kernel<Bfloat16><<<blocks, block_threads, 0, stream>>>(call);
  const cudaError_t status = cudaGetLastError();
  return status == cudaSuccess ? nullptr : cudaGetErrorString(status);
}

}  // namespace attnlab::cuda
