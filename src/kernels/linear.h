// Products of many rows with a weight, for every linear map of the models.
#pragma once

#include <torch/torch.h>

namespace attnlab {

/// x·wᵀ + b, [R, N], for x [R, K], w [N, K], which may be a transposed view, and b [N] or undefined: at::mm
/// and at::addmm, but oneDNN in fp32 on AMD's processors, where MKL, which is behind these, uses no AVX-512
/// (Zen 4, two threads, 2,048 rows, 512 to 2,048 numbers: 220 GFLOP/s beside 194; to 40,624: 175 beside 147).
torch::Tensor product(const torch::Tensor& x_RK, const torch::Tensor& w_NK, const torch::Tensor& b_N = {});

/// The same by oneDNN, whatever the processor: fp32 on the CPU. Nothing where Torch was built without it.
std::optional<torch::Tensor> onednn_product(const torch::Tensor& x_RK, const torch::Tensor& w_NK,
                                            const torch::Tensor& b_N = {});

/// at::linear by product(), [..., N] for x [..., K]; b [N] or undefined. Can be differentiated once.
torch::Tensor affine(const torch::Tensor& x, const torch::Tensor& w_NK, const torch::Tensor& b_N = {});

/// torch::nn::Linear by affine().
class LinearImpl : public torch::nn::LinearImpl {
 public:
  using torch::nn::LinearImpl::LinearImpl;
  torch::Tensor forward(const torch::Tensor& x) { return affine(x, weight, bias); }
};
TORCH_MODULE(Linear);

}  // namespace attnlab
