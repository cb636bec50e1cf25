// The parts that a decoder and its layers are made of: a weight that bears the name of Hugging Face's files,
// its product, and RMSNorm.
#pragma once

#include <torch/torch.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace attnlab {

using torch::Tensor;

/// A module that is one tensor, called `weight`, so that a file's name leads to it, and perhaps a `bias`
/// beside it.
class WeightImpl final : public torch::nn::Module {
 public:
  WeightImpl(at::IntArrayRef shape, const torch::TensorOptions& options, bool with_bias = false);
  const Tensor& operator*() const { return tensor_; }
  /// [out], or undefined.
  const Tensor& bias() const { return bias_; }
  /// Takes the tensor in place of its own, `name` being "weight" or "bias": another type, device or storage,
  /// the same shape. Nothing is copied, so a view of a mapped file stays one.
  void assign(const std::string& name, Tensor tensor);

 private:
  Tensor tensor_, bias_;  ///< the registered ones: handles of the same storage
};
TORCH_MODULE(Weight);

/// x [.., in] · Wᵀ, with the bias added where there is one.
Tensor project(const Tensor& x, const Weight& weight);
/// The same for several weights, read in one go (thin_linears).
std::vector<Tensor> project(const Tensor& x, std::initializer_list<Weight> weights);

/// RMSNorm (Zhang and Sennrich 2019): x / √(mean(x²) + eps) in fp32 (fp64 for fp64 x), cast back, then times
/// the weight.
Tensor rms_norm(const Tensor& x, const Weight& weight, double eps);

}  // namespace attnlab
