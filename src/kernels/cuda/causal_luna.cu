// causal_luna.h: the passes of luna_scan.h on thread blocks, and their launches.
#include "kernels/cuda/causal_luna.h"

#include <cuda_runtime.h>

#include "kernels/cuda/block.h"
#include "kernels/cuda/luna_scan.h"

namespace attnlab::cuda {
namespace {

template <LunaPass Pass>
__global__ void __launch_bounds__(block_threads) luna_kernel(LunaCall<float> call) {
  extern __shared__ float luna_shared[];
  Block block(luna_shared, nullptr);
  luna_pass(block, Pass, call, blockIdx.x, luna_shared);
}

template <LunaPass Pass>
const char* launch(const LunaCall<float>& call, CUstream_st* stream) {
  const int bytes = static_cast<int>(luna_memory(call.d, call.l) * sizeof(float));
  cudaError_t status =
      cudaFuncSetAttribute(luna_kernel<Pass>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  if (status != cudaSuccess) {
    cudaGetLastError();  // a later launch is not to report it again
    return "causal Luna's rows of P and head do not fit the shared memory of this device";
  }
  const unsigned blocks = static_cast<unsigned>(call.batch) * call.heads * call.each;
  luna_kernel<Pass><<<blocks, block_threads, bytes, stream>>>(call);
  status = cudaGetLastError();
  return status == cudaSuccess ? nullptr : cudaGetErrorString(status);
}

}  // namespace

const char* causal_luna(LunaPass pass, const LunaCall<float>& call, CUstream_st* stream) {
  switch (pass) {
    case LunaPass::sums:
      return launch<LunaPass::sums>(call, stream);
    case LunaPass::forward:
      return launch<LunaPass::forward>(call, stream);
    case LunaPass::backward_queries:
      return launch<LunaPass::backward_queries>(call, stream);
    case LunaPass::suffix_sums:
      return launch<LunaPass::suffix_sums>(call, stream);
    case LunaPass::backward_keys:
      return launch<LunaPass::backward_keys>(call, stream);
  }
  return "no such pass of causal Luna";
}

}  // namespace attnlab::cuda
