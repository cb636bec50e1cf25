// Torch's rms_norm, which a GPU without gradients takes, against the form composed for double. Not run on a
// GPU yet.
#include <gtest/gtest.h>

#include "cuda_libraries.h"
#include "kernels/decoder_ops.h"

namespace attnlab {
namespace {

TEST(CudaRmsNorm, EqualsTheComposedForm) {
  ATTNLAB_NEEDS_CUDA();
  torch::manual_seed(3);
  for (const auto type : {torch::kFloat, torch::kBFloat16}) {
    const Tensor x = (3 * torch::randn({5, 7, 4096})).to(type), w = torch::randn({4096}).to(type);
    const Tensor want = rms_norm(x.to(torch::kDouble), w.to(torch::kDouble), 1e-5);
    const Tensor got = rms_norm(x.to(torch::kCUDA), w.to(torch::kCUDA), 1e-5);
    EXPECT_EQ(got.scalar_type(), type);
    const double tolerance = type == torch::kFloat ? 1e-5 : 1.0 / 128;
    EXPECT_TRUE(torch::allclose(got.to(torch::kCPU, torch::kDouble), want, tolerance, tolerance));
  }
}

}  // namespace
}  // namespace attnlab
