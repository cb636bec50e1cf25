// Rotary positions on a GPU, queries and keys in one launch, against Torch's operators there and the formula
// in double. Not run on a GPU yet.
#include <gtest/gtest.h>

#include "cache/rope.h"
#include "cuda_libraries.h"
#include "kernels/dispatched.h"

namespace attnlab {
namespace {

RopeScaling yarn() {
  return {.kind = RopeScaling::Kind::yarn,
          .factor = 4.0,
          .original_positions = 128,
          .attention_factor = yarn_attention_factor(4.0)};
}

TEST(CudaRope, OneLaunchTurnsBothAsEachAlone) {
  ATTNLAB_NEEDS_CUDA();
  ASSERT_TRUE(dispatched::turn_pairs().hasKernelForDispatchKey(c10::DispatchKey::CUDA));
  torch::manual_seed(6);
  for (const RopeScaling& scaling : {RopeScaling{}, yarn()})
    for (const auto type : {torch::kFloat, torch::kBFloat16}) {
      const torch::Tensor q = torch::randn({3, 17, 32, 128}).to(type),
                          k = torch::randn({3, 17, 8, 128}).to(type),
                          positions = torch::randint(0, 4096, {3, 17}, torch::kLong),
                          at = positions.to(torch::kCUDA);
      Rope rope(128, 10000.0, scaling);
      rope.share(at);
      const torch::Tensor gpu_q = q.to(torch::kCUDA), gpu_k = k.to(torch::kCUDA);
      const auto [turned_q, turned_k] = rope.rotate(gpu_q, gpu_k, at);
      EXPECT_TRUE(turned_q.equal(rope.rotate(gpu_q, at)));
      EXPECT_TRUE(turned_k.equal(rope.rotate(gpu_k, at)));
      const torch::Tensor want = rope.rotate(q.to(torch::kDouble), positions);
      // The angle of position 4,095 has lost 12 of fp32's 24 bits.
      const double tolerance = type == torch::kFloat ? 2e-3 : 4e-2;
      EXPECT_TRUE(torch::allclose(turned_q.to(torch::kCPU, torch::kDouble), want, tolerance, tolerance));
    }
}

TEST(CudaRope, EmptyAndNarrowedTensorsAreTakenToo) {
  ATTNLAB_NEEDS_CUDA();
  const auto on_gpu = torch::TensorOptions().device(torch::kCUDA);
  const Rope rope(8, 10000.0);
  const torch::Tensor joined = torch::randn({2, 4, 6, 8}, on_gpu), q = joined.narrow(2, 0, 4),
                      k = joined.narrow(2, 4, 2),
                      at = torch::arange(4, on_gpu.dtype(torch::kLong)).expand({2, 4});
  const auto [turned_q, turned_k] = rope.rotate(q, k, at);
  EXPECT_TRUE(turned_q.equal(rope.rotate(q.contiguous(), at)));
  EXPECT_TRUE(turned_k.equal(rope.rotate(k.contiguous(), at)));
  const auto [none_q, none_k] = rope.rotate(q.narrow(1, 0, 0), k.narrow(1, 0, 0), at.narrow(1, 0, 0));
  EXPECT_EQ(none_q.numel() + none_k.numel(), 0);
}

}  // namespace
}  // namespace attnlab
