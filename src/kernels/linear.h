// Linear maps of many rows, as training and reading a text have them.
#pragma once

#include <torch/torch.h>

namespace attnlab {

/// x·wᵀ + b, [R, N], for x [R, K], w [N, K], which may be a transposed view, and b [N] or undefined: at::mm
/// and at::addmm, but oneDNN in fp32 on AMD's processors with AVX-512, which MKL, behind these, does not use
/// there (Zen 4, two threads, 2,048 rows, 512 to 2,048 numbers: 220 GFLOP/s beside 194; to 40,624: 175 beside
/// 147). Safe inside at::parallel_for, where either library runs on the calling thread alone.
torch::Tensor product(const torch::Tensor& x_RK, const torch::Tensor& w_NK, const torch::Tensor& b_N = {});

/// The same by oneDNN, whatever the processor: fp32 on the CPU, no gradient. Nothing where Torch was built
/// without it.
std::optional<torch::Tensor> onednn_product(const torch::Tensor& x_RK, const torch::Tensor& w_NK,
                                            const torch::Tensor& b_N = {});

/// at::linear by product(), [..., N] for x [..., K]; b [N] or undefined.
torch::Tensor affine(const torch::Tensor& x, const torch::Tensor& w_NK, const torch::Tensor& b_N = {});

/// torch::nn::Linear by affine(). Its options are torch::nn::LinearOptions; attnlab's are of linear
/// attention.
class LinearImpl : public torch::nn::LinearImpl {
 public:
  using torch::nn::LinearImpl::LinearImpl;
  torch::Tensor forward(const torch::Tensor& x) { return affine(x, weight, bias); }
};
TORCH_MODULE(Linear);

}  // namespace attnlab
