#include "train/optimizer.h"

#include <unordered_set>

namespace attnlab {

NamedTensors trainable_parameters(const torch::nn::Module& model) {
  NamedTensors parameters;
  std::unordered_set<const c10::TensorImpl*> seen;
  for (const auto& item : model.named_parameters()) {
    const torch::Tensor& parameter = item.value();
    if (parameter.defined() && parameter.requires_grad() &&
        seen.insert(parameter.unsafeGetTensorImpl()).second)
      parameters.emplace_back(item.key(), parameter);
  }
  return parameters;
}

std::unique_ptr<Optimizer> AdamOptions::make(const torch::nn::Module& model) const {
  return make_adam(*this, model);
}

std::unique_ptr<Optimizer> ApolloOptions::make(const torch::nn::Module& model) const {
  return make_apollo(*this, model);
}

template <>
const std::vector<Entry<OptimizerOptions>>& registry<OptimizerOptions>() {
  static const std::vector<Entry<OptimizerOptions>> table{
      entry<OptimizerOptions, AdamOptions>("adam", "Adam; weight decay is L2 (Kingma & Ba 2015)"),
      entry<OptimizerOptions, AdamWOptions>("adamw",
                                            "Adam with decoupled weight decay (Loshchilov & Hutter 2019)"),
      entry<OptimizerOptions, ApolloOptions>("apollo", "quasi-Newton with a diagonal Hessian (Ma 2020)"),
  };
  return table;
}

}  // namespace attnlab
