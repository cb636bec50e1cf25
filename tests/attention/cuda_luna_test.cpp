// Luna on a GPU, where both halves go through Torch's SDPA, against its plain form on the CPU. Not run on a
// GPU yet.
#include <gtest/gtest.h>

#include "attention/luna.h"
#include "cuda_libraries.h"

namespace attnlab {
namespace {

constexpr int64_t gpu_batch = 3, gpu_tokens = 200, gpu_width = 64, gpu_rows = 16;

/// Both outputs, and gradients of queries, P and all weights, on the CPU.
std::vector<Tensor> passed(LunaOptions::Kernel kernel, torch::Device device, const Tensor& padding_BN) {
  LunaOptions options;
  options.projection_length = gpu_rows;
  options.kernel = kernel;
  torch::manual_seed(1);  // all numbers are the host's
  LunaAttentionImpl attention(options,
                              {.dim = gpu_width, .heads = 4, .max_length = gpu_tokens, .dropout = 0.0});
  Tensor x_BND = torch::randn({gpu_batch, gpu_tokens, gpu_width}),
         p_BLD = torch::randn({gpu_batch, gpu_rows, gpu_width});
  const Tensor to_y_BND = torch::randn_like(x_BND).to(device), to_p_BLD = torch::randn_like(p_BLD).to(device);
  attention.to(device);
  x_BND = x_BND.to(device).requires_grad_();
  p_BLD = p_BLD.to(device).requires_grad_();
  const Tensor padding = padding_BN.defined() ? padding_BN.to(device) : Tensor();
  const Masks masks{padding, padding, attention.state_extent(padding, gpu_tokens).masked_BL};
  const AttentionOutput out = attention.forward(x_BND, x_BND, masks, p_BLD);
  ((out.y_BND * to_y_BND).sum() + (out.state_BLD * to_p_BLD).sum()).backward();
  std::vector<Tensor> all = {out.y_BND.detach(), out.state_BLD.detach(), x_BND.grad(), p_BLD.grad()};
  for (const Tensor& weight : attention.parameters()) all.push_back(weight.grad());
  for (Tensor& x : all) x = x.cpu();
  return all;
}

/// Without padding, and with sentences shorter than the others and than P.
void expect_as_plain(LunaOptions::Kernel kernel, torch::Device device, double tolerance) {
  const Tensor lengths_B1 = torch::tensor({gpu_tokens, int64_t{77}, int64_t{9}}).unsqueeze(1);
  for (const Tensor& padding_BN : {Tensor(), torch::arange(gpu_tokens).unsqueeze(0).ge(lengths_B1)}) {
    const auto want = passed(LunaOptions::Kernel::plain, torch::kCPU, padding_BN);
    const auto got = passed(kernel, device, padding_BN);
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < want.size(); ++i)
      EXPECT_TRUE(torch::allclose(got[i], want[i], tolerance, tolerance))
          << "tensor " << i << (padding_BN.defined() ? ", padded" : "");
  }
}

TEST(LunaBySdpa, HalvesAndTheirGradientsEqualThePlainForm) {
  expect_as_plain(LunaOptions::Kernel::sdpa, torch::kCPU, 1e-4);
}

TEST(CudaLuna, HalvesBySdpaAndTheirGradientsEqualThePlainFormOnTheCpu) {
  ATTNLAB_NEEDS_CUDA();
  expect_as_plain(LunaOptions::Kernel::automatic, torch::kCUDA, 1e-3);
}

}  // namespace
}  // namespace attnlab
