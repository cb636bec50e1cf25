// Which form of scaled_dot_product_attention ran is noted; what it computes is Torch's.
#include "kernels/sdpa.h"

#include <gtest/gtest.h>

namespace attnlab {
namespace {

TEST(Sdpa, NotesTheFormsThatRan) {
  torch::manual_seed(1);
  const auto draw = [] { return torch::randn({2, 3, 40, 16}); };
  const Tensor q = draw(), k = draw(), v = draw();
  EXPECT_TRUE(
      sdpa(q, k, v, {.causal = true}).equal(at::scaled_dot_product_attention(q, k, v, {}, 0.0, true)));
  EXPECT_NE(sdpa_forms_run().find("flash (fp32)"), std::string::npos) << sdpa_forms_run();
  EXPECT_EQ(sdpa_forms_run().find("math (fp32)"), std::string::npos) << sdpa_forms_run();
  sdpa(q, k, v, {.dropout = 0.5});  // on the CPU fused without dropout only
  EXPECT_NE(sdpa_forms_run().find("math (fp32)"), std::string::npos) << sdpa_forms_run();
}

TEST(Sdpa, TakesMasksAndSharedHeads) {
  torch::manual_seed(2);
  const Tensor q = torch::randn({2, 4, 9, 8}), k = torch::randn({2, 2, 9, 8}), v = torch::randn({2, 2, 9, 8});
  const Tensor mask = torch::ones({9, 9}, torch::kBool).tril_();
  const auto repeated = [](const Tensor& x) { return x.repeat_interleave(2, 1); };
  const Tensor want = at::scaled_dot_product_attention(q, repeated(k), repeated(v), mask);
  EXPECT_TRUE(torch::allclose(sdpa(q, k, v, {.mask = mask, .shared_heads = true}), want, 1e-5, 1e-6));
  EXPECT_TRUE(repeated_heads(k, 4).equal(repeated(k)));
}

}  // namespace
}  // namespace attnlab
