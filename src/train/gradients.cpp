#include "train/gradients.h"

#include <fmt/format.h>

namespace attnlab {
namespace {

constexpr double clip_epsilon = 1e-6;  // clip_grad_norm_'s

std::vector<torch::Tensor> gradients_of(const NamedTensors& parameters) {
  std::vector<torch::Tensor> gradients;
  for (const auto& [name, parameter] : parameters)
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  return gradients;
}

/// "3 nan and 0 infinite of 64 elements", or nothing where all are finite.
std::string count_non_finite(const torch::Tensor& tensor) {
  const auto nan = torch::isnan(tensor).sum().item<int64_t>();
  const auto infinite = torch::isinf(tensor).sum().item<int64_t>();
  if (nan + infinite == 0) return "";
  return fmt::format("{} nan and {} infinite of {} elements", nan, infinite, tensor.numel());
}

}  // namespace

torch::Tensor gradient_norms(const NamedTensors& parameters) {
  const torch::NoGradGuard no_grad;
  const std::vector<torch::Tensor> gradients = gradients_of(parameters);
  if (gradients.empty()) return torch::zeros({0});
  return torch::stack(torch::_foreach_norm(gradients, 2));
}

void scale_gradients(const NamedTensors& parameters, double factor) {
  const torch::NoGradGuard no_grad;
  torch::_foreach_mul_(gradients_of(parameters), factor);
}

void clip_gradients(const NamedTensors& parameters, double norm, double largest) {
  const double scale = largest / (norm + clip_epsilon);
  if (scale < 1.0) scale_gradients(parameters, scale);
}

void clip_each_gradient(const NamedTensors& parameters, const torch::Tensor& norms, double largest) {
  const torch::NoGradGuard no_grad;
  const std::vector<torch::Tensor> gradients = gradients_of(parameters);
  const torch::Tensor scales = (largest / (norms + clip_epsilon)).clamp_max(1.0);
  for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i].mul_(scales[static_cast<int64_t>(i)]);
}

void forget_gradients(const NamedTensors& parameters) {
  for (const auto& [name, parameter] : parameters) torch::Tensor(parameter).mutable_grad().reset();
}

std::string describe_non_finite(const NamedTensors& parameters) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, parameter] : parameters)
    if (const std::string count = count_non_finite(parameter); !count.empty())
      return fmt::format("parameter '{}' has {}", name, count);
  std::string first;
  int64_t affected = 0;
  for (const auto& [name, parameter] : parameters) {
    if (!parameter.grad().defined()) continue;
    const std::string count = count_non_finite(parameter.grad());
    if (!count.empty() && ++affected == 1) first = fmt::format("the gradient of '{}' has {}", name, count);
  }
  if (affected == 0) return "every parameter and gradient is finite";
  if (affected == 1) return first;
  return fmt::format("{}, and those of {} other parameters are not finite", first, affected - 1);
}

}  // namespace attnlab
