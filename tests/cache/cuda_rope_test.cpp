// Rotary positions on a GPU, queries and keys in one launch, against Torch's operators there and the formula
// in double. Not run on a GPU yet.
#include <gtest/gtest.h>

#include <cmath>

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

/// How far a pair that was turned on a GPU may lie from the same in double: its length times
/// - what the angle is off. The frequency θ^(−2i/d) is powf, 4 ulp by CUDA's documentation, and a reciprocal
/// of
///   half of one, of 2^−23 of it each at most; times the position, rounded to half an ulp more. At position
///   4,095 and frequencies up to 1 that is 4095 · 5 · 2^−23 = 2.4e-3. YaRN's frequencies are rounded once.
/// - cosine and sine themselves, 2 ulp in fp32.
/// - roundings of cosine and sine (both products' sum is at most the length: c² + s² = 1), of each product
/// and
///   of the result to `type`, half of an ulp each.
torch::Tensor error_bound(const torch::Tensor& x, torch::Dtype type, double scale) {
  const int64_t half = x.size(-1) / 2;
  const torch::Tensor one = x.narrow(-1, 0, half), other = x.narrow(-1, half, half),
                      length = (one.square() + other.square()).sqrt() * scale;
  const double angle = 4095 * 5 * std::exp2(-23), half_ulp = std::exp2(type == torch::kFloat ? -24 : -9);
  // 1 % for products of errors.
  const torch::Tensor bound = length * (1.01 * (angle + 2 * std::exp2(-23) * std::sqrt(2.0) + 4 * half_ulp));
  return torch::cat({bound, bound}, -1);
}

void expect_turned(const torch::Tensor& got, const torch::Tensor& x, const Rope& rope,
                   const torch::Tensor& at, double scale) {
  const torch::Tensor wide = x.to(torch::kDouble), want = rope.rotate(wide, at),
                      away = (got.to(torch::kCPU, torch::kDouble) - want).abs(),
                      bound = error_bound(wide, x.scalar_type(), scale);
  EXPECT_TRUE(away.le(bound).all().item<bool>())
      << "the largest share of the bound is " << (away / bound).max().item<double>();
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
      expect_turned(turned_q, q, rope, positions, scaling.attention_factor);
      expect_turned(turned_k, k, rope, positions, scaling.attention_factor);
    }
}

/// The bound itself, held to Torch's operators on the CPU.
TEST(RopeError, StaysBelowItsBoundOnTheCpu) {
  torch::manual_seed(6);
  for (const RopeScaling& scaling : {RopeScaling{}, yarn()})
    for (const auto type : {torch::kFloat, torch::kBFloat16}) {
      const Rope rope(128, 10000.0, scaling);
      const torch::Tensor x = torch::randn({3, 17, 32, 128}).to(type),
                          at = torch::randint(4000, 4096, {3, 17}, torch::kLong);
      expect_turned(rope.rotate(x, at), x, rope, at, scaling.attention_factor);
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
