// The algorithm of rotary positions on CUDA (kernels/cuda/rotary_turn.h) on emulated blocks of threads,
// against the formula in double, the CPU's native form and what Torch's operators make of bf16.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <tuple>

#include "kernels/cuda/rotary_turn.h"
#include "kernels/emulated_block.h"
#include "kernels/rotary.h"

namespace attnlab::cuda {
namespace {

using torch::Tensor;

struct Turned {
  Tensor q, k;
};

/// The angles of positions far apart, [B, T, half], as a stretched model has them: times 1.25.
struct Angles {
  Tensor cosines, sines;
};
Angles angles_of(int64_t batch, int64_t tokens, int64_t half) {
  const Tensor positions = torch::arange(batch * tokens).view({batch, tokens, 1}) * 37,
               frequencies = torch::pow(10000.0, -torch::arange(half).to(torch::kDouble) / half);
  const Tensor angles = positions * frequencies;
  return {1.25 * angles.cos(), 1.25 * angles.sin()};
}

template <class T>
Turned turned(const Tensor& q, const Tensor& k, const Angles& angles, BlockKind kind) {
  Turned out{torch::full_like(q, NAN), torch::full_like(k, NAN)};
  const Tensor c = angles.cosines.to(q.scalar_type()), s = angles.sines.to(q.scalar_type());
  const TurnCall call{.type = sizeof(T) == 4 ? Type::fp32 : Type::bf16,
                      .tokens = q.size(0) * q.size(1),
                      .heads = static_cast<int>(q.size(2)),
                      .kv_heads = static_cast<int>(k.size(2)),
                      .half = static_cast<int>(q.size(3) / 2),
                      .q = q.const_data_ptr(),
                      .k = k.const_data_ptr(),
                      .cosines = c.const_data_ptr(),
                      .sines = s.const_data_ptr(),
                      .turned_q = out.q.mutable_data_ptr(),
                      .turned_k = out.k.mutable_data_ptr()};
  EmulatedBlock block(kind, 1);
  for (int64_t unit = 0; unit < call.units(); ++unit) turn_unit<T>(block, call, unit);
  return out;
}

/// x·c and its halves changed about times s, each operator rounding to x's type.
Tensor composed(const Tensor& x, const Angles& angles) {
  const auto whole = [&](const Tensor& first, const Tensor& second) {
    return torch::cat({first, second}, -1).to(x.scalar_type()).unsqueeze(2);
  };
  return x * whole(angles.cosines, angles.cosines) +
         x.roll(x.size(-1) / 2, -1) * whole(-angles.sines, angles.sines);
}

class CudaEmulatedRotary : public testing::TestWithParam<std::tuple<int, bool>> {
 protected:
  BlockKind kind() const { return {std::get<0>(GetParam()), std::get<1>(GetParam())}; }
};
INSTANTIATE_TEST_SUITE_P(ThreadsAndOrder, CudaEmulatedRotary,
                         testing::Combine(testing::Values(32, 96, 512), testing::Bool()));

TEST_P(CudaEmulatedRotary, Fp32IsTheFormula) {
  torch::manual_seed(2);
  // A part of a block, one block to the last pair, and heads that two blocks share.
  for (const auto& [heads, kv_heads, d] :
       {std::tuple(3, 1, 6), std::tuple(24, 8, 64), std::tuple(20, 5, 128)}) {
    const Tensor q = torch::randn({2, 3, heads, d}), k = torch::randn({2, 3, kv_heads, d});
    const Angles angles = angles_of(2, 3, d / 2);
    const Turned got = turned<float>(q, k, angles, kind());
    for (const auto& [x, y] : {std::pair(q, got.q), std::pair(k, got.k)})
      EXPECT_LT((y.to(torch::kDouble) - composed(x.to(torch::kDouble), angles)).abs().max().item<double>(),
                2e-6);
  }
}

TEST_P(CudaEmulatedRotary, Fp32IsTheNativeForm) {
  torch::manual_seed(3);
  const Tensor q = torch::randn({1, 7, 4, 10}), k = torch::randn({1, 7, 2, 10});
  const Angles angles = angles_of(1, 7, 5);
  const Tensor c = angles.cosines[0].to(torch::kFloat), s = angles.sines[0].to(torch::kFloat),
               rows = torch::arange(7).unsqueeze(0);
  const Turned got = turned<float>(q, k, angles, kind());
  EXPECT_TRUE(torch::allclose(got.q, rotate_pairs(q, rows, c, s), 1e-6, 1e-6));
  EXPECT_TRUE(torch::allclose(got.k, rotate_pairs(k, rows, c, s), 1e-6, 1e-6));
}

TEST_P(CudaEmulatedRotary, Bf16RoundsAsTorchsOperatorsDo) {
  torch::manual_seed(4);
  const Tensor q = torch::randn({2, 5, 20, 128}).to(torch::kBFloat16),
               k = torch::randn({2, 5, 5, 128}).to(torch::kBFloat16);
  const Angles angles = angles_of(2, 5, 64);
  const Turned got = turned<Bfloat16>(q, k, angles, kind());
  EXPECT_TRUE(got.q.equal(composed(q, angles)));
  EXPECT_TRUE(got.k.equal(composed(k, angles)));
}

}  // namespace
}  // namespace attnlab::cuda
