// Luna on a GPU, where both halves go through Torch's SDPA, against its plain form on the CPU. Not run on a
// GPU yet.
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attention/luna.h"
#include "cuda_libraries.h"
#include "kernels/sdpa.h"

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

/// What trains on a GPU: 4,096 tokens, heads of 64, l = 16, under autocast to bf16, where SDPA is flash.
struct Narrow {
  explicit Narrow(torch::DeviceType device) : device(device) {
    at::autocast::set_autocast_enabled(device, true);
    at::autocast::set_autocast_dtype(device, torch::kBFloat16);
  }
  ~Narrow() {
    at::autocast::set_autocast_enabled(device, false);
    at::autocast::clear_cache();
  }
  torch::DeviceType device;
};

/// Makes the rows of P read different tokens. As it is initialised, Luna's packed rows are about the mean of
/// all tokens each, and the gradients of what unpacks them are differences of nearly equal numbers.
void spread_rows(LunaAttentionImpl& attention) {
  const torch::NoGradGuard none;
  for (auto& weight : attention.named_parameters()) {
    const std::string& name = weight.key();
    if (name.ends_with("bias")) weight->zero_();
    if (name == "pack_query.weight" || name == "pack_key.weight") weight->mul_(2.5);
  }
}

/// y and P', then gradients of x, P and of the weights by name, in fp32 on the CPU; `narrow`: in bf16.
std::vector<std::pair<std::string, Tensor>> long_pass(torch::Device device, bool narrow) {
  constexpr int64_t tokens = 4096, width = 256, rows = 16;
  LunaOptions options;
  options.projection_length = rows;
  options.kernel = narrow ? LunaOptions::Kernel::sdpa : LunaOptions::Kernel::plain;
  torch::manual_seed(4);
  LunaAttentionImpl attention(options, {.dim = width, .heads = 4, .max_length = tokens, .dropout = 0.0});
  spread_rows(attention);
  Tensor x_BND = torch::randn({1, tokens, width}), p_BLD = torch::randn({1, rows, width});
  const Tensor to_y_BND = torch::randn_like(x_BND).to(device), to_p_BLD = torch::randn_like(p_BLD).to(device);
  attention.to(device);
  x_BND = x_BND.to(device).requires_grad_();
  p_BLD = p_BLD.to(device).requires_grad_();
  AttentionOutput out;
  {
    const std::optional<Narrow> autocast = narrow ? std::optional<Narrow>(device.type()) : std::nullopt;
    out = attention.forward(x_BND, x_BND, {}, p_BLD);
  }
  ((out.y_BND * to_y_BND).sum() + (out.state_BLD * to_p_BLD).sum()).backward();
  std::vector<std::pair<std::string, Tensor>> all = {{"y", out.y_BND.detach()},
                                                     {"packed", out.state_BLD.detach()},
                                                     {"x", x_BND.grad()},
                                                     {"p", p_BLD.grad()}};
  for (const auto& weight : attention.named_parameters()) all.emplace_back(weight.key(), weight->grad());
  for (auto& [name, tensor] : all) tensor = tensor.to(torch::kCPU, torch::kFloat);
  return all;
}

/// Rounding to bf16 is off by u = 2^−9 at most, u/√3 in the mean square. To the gradient that passes most,
/// that of the queries' map, lead some 40 roundings: forward x, P, 7 maps, their outputs, both softmaxes'
/// weights and sums, backward the same again. Scores have a spread of 2, by which their errors count in the
/// weights. They are independent, so squares add: √(40 · 4) · u/√3 = 7.3 u; twice that is allowed, of each
/// tensor's norm. Adding to all scores of a query alike changes nothing: the keys' biases have a gradient of
/// 0, and are held to the norm of their weights' instead.
void expect_within_roundings(torch::Device device) {
  constexpr double allowed = 16.0 / 512;
  const auto want = long_pass(torch::kCPU, false), got = long_pass(device, true);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    const auto& [name, expected] = want[i];
    const bool is_zero = name == "pack_key.bias" || name == "key.bias";
    const double norm = (is_zero ? want[i - 1].second : expected).norm().item<double>(),
                 away = (got[i].second - expected).norm().item<double>();
    EXPECT_LE(away, allowed * norm) << name << ": " << 512 * away / norm << " u";
  }
}

TEST(LunaBySdpa, LongTextsInBf16AreWithinRoundingsOfFp32) { expect_within_roundings(torch::kCPU); }

TEST(CudaLuna, LongTextsInBf16AreWithinRoundingsOfFp32) {
  ATTNLAB_NEEDS_CUDA();
  expect_within_roundings(torch::kCUDA);
  EXPECT_NE(sdpa_forms_run().find("flash (bf16)"), std::string::npos) << sdpa_forms_run();
}

}  // namespace
}  // namespace attnlab
