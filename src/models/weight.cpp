#include "models/weight.h"

#include <fmt/ranges.h>

#include <utility>

#include "core/error.h"
#include "kernels/decoder_ops.h"

namespace attnlab {

WeightImpl::WeightImpl(at::IntArrayRef shape, const torch::TensorOptions& options, bool with_bias)
    : tensor_(register_parameter("weight", torch::empty(shape, options))) {
  if (with_bias) bias_ = register_parameter("bias", torch::empty({shape[0]}, options));
}

void WeightImpl::assign(const std::string& name, Tensor tensor) {
  Tensor* own = parameters_.find(name);
  ensure(own != nullptr, "a weight called '{}'", name);
  ensure(tensor.sizes() == own->sizes(), "a {} of shape {}, not {}", name, fmt::join(own->sizes(), "×"),
         fmt::join(tensor.sizes(), "×"));
  *own = std::move(tensor);
  (name == "bias" ? bias_ : tensor_) = *own;
}

Tensor project(const Tensor& x, const Weight& weight) { return std::move(project(x, {weight})[0]); }

std::vector<Tensor> project(const Tensor& x, std::initializer_list<Weight> weights) {
  c10::SmallVector<Tensor, 3> tensors;
  for (const Weight& weight : weights) tensors.push_back(**weight);
  std::vector<Tensor> all = thin_linears(x, tensors);
  for (std::size_t i = 0; const Weight& weight : weights) {
    if (weight->bias().defined()) all[i] = all[i] + weight->bias().to(all[i].dtype());
    ++i;
  }
  return all;
}

Tensor rms_norm(const Tensor& x, const Weight& weight, double eps) { return rms_norm(x, **weight, eps); }

}  // namespace attnlab
