// On a GPU TOVA's steps composed of Torch's operators against the device's own, in bf16. Not run on a GPU
// yet.
#include <gtest/gtest.h>

#include "cache/bounded_state.h"
#include "cache/device_check.h"
#include "cache/device_state.h"
#include "cache/texts.h"
#include "cuda_libraries.h"

namespace attnlab {
namespace {

TEST(CudaStates, ComposedTovaInBf16DecidesAsTheDevicesOwn) {
  ATTNLAB_NEEDS_CUDA();
  const StateShape shape{.heads = 8, .kv_heads = 4, .head_dim = 64};
  const StateRun run{.batch = 2, .dtype = torch::kBFloat16, .device = torch::kCUDA};
  BoundedOptions options;
  options.policy = Choice<PolicyOptions>("tova").share();
  options.lane.size = 64;
  ASSERT_EQ(DeviceState::why_not(options, shape, run), "");
  const Rope rope(shape.head_dim, 10000.0);
  const Texts texts = make_texts(shape, {300, 260}, /*left=*/true, torch::kBFloat16);
  DeviceState own(options, shape, run);
  BoundedState composed(options, shape, run);
  const Tensor want_y = feed(own, texts, {200, 1}, rope, torch::kCUDA).to(torch::kFloat),
               y = feed(composed, texts, {200, 1}, rope, torch::kCUDA).to(torch::kFloat);
  EXPECT_STREQ(composed.kind(), "composed");
  const auto rotated = [&](const Tensor& x) {  // in bf16 on the GPU, as both states see it
    return rope.rotate(x.to(torch::kCUDA), texts.tokens.positions_BT.to(torch::kCUDA))
        .to(torch::kCPU, torch::kFloat);
  };
  Tensor same_BG;
  EXPECT_EQ(wrong_decision(rotated(texts.tokens.q_BTHd), rotated(texts.tokens.k_BTKd), {}, composed.expiry(),
                           own.expiry(), same_BG),
            "");
  for (int64_t b = 0; b < 2; ++b) {
    const int64_t first = texts.start(b), count = same_BG[b][0].item<int64_t>() - first;
    const auto compared = [&](const Tensor& y_BTHd) { return y_BTHd[b].narrow(0, first, count); };
    EXPECT_TRUE(torch::allclose(compared(y), compared(want_y), 1.0 / 64, 1.0 / 64)) << "text " << b;
  }
}

}  // namespace
}  // namespace attnlab
