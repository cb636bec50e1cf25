#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>

#include "train/optimizer.h"

namespace attnlab {
namespace {

/// The tensors of one parameter.
struct Slot {
  std::string name;
  torch::Tensor parameter, mean, mean_square, steps;
};

/// The same tensors of many parameters, as the fused operator wants them.
struct Columns {
  std::vector<torch::Tensor> parameters, gradients, means, mean_squares, steps;
};

/// As Torch's; fairseq's adds eps before the second moment's bias is corrected (fairseq/optim/adam.py), so
/// that there it is 1/√(1 − β₂ᵗ) times as large: 7 times at the first update with β₂ = 0.98, after some
/// hundreds the same.
class Adam final : public Optimizer {
 public:
  Adam(const AdamOptions& options, const torch::nn::Module& model)
      : options_(options), decoupled_(options.decoupled()) {
    for (const auto& [name, parameter] : trainable_parameters(model)) {
      const auto zeros = [&p = parameter] { return torch::zeros_like(p, p.options().requires_grad(false)); };
      // The operator reads the count of updates as an fp32 scalar on the parameter's device, one for each.
      const auto steps = torch::zeros({}, parameter.options().dtype(torch::kFloat32).requires_grad(false));
      slots_.push_back({name, parameter, zeros(), zeros(), steps});
    }
  }

  void step(double learning_rate) override {
    const torch::NoGradGuard no_grad;
    update(learning_rate, options_.weight_decay, [this](const Slot& s) { return decays(s); });
    update(learning_rate, 0.0, [this](const Slot& s) { return !decays(s); });
  }

  NamedTensors state() const override {
    NamedTensors tensors;
    for (const Slot& s : slots_) {
      tensors.emplace_back(s.name + ".mean", s.mean);
      tensors.emplace_back(s.name + ".mean_square", s.mean_square);
      tensors.emplace_back(s.name + ".steps", s.steps);
    }
    return tensors;
  }

 private:
  bool decays(const Slot& s) const { return options_.decay_vectors || s.parameter.dim() > 1; }

  template <class Chosen>
  void update(double learning_rate, double weight_decay, const Chosen& chosen) {
    Columns c;
    for (const Slot& s : slots_) {
      if (!s.parameter.grad().defined() || !chosen(s)) continue;
      c.parameters.push_back(s.parameter);
      c.gradients.push_back(s.parameter.grad());
      c.means.push_back(s.mean);
      c.mean_squares.push_back(s.mean_square);
      c.steps.push_back(s.steps);
    }
    if (c.parameters.empty()) return;
    torch::_foreach_add_(c.steps, 1);
    const auto fused = decoupled_ ? &call_adamw : &call_adam;
    fused(c, learning_rate, options_, weight_decay);
  }

  static void call_adam(Columns& c, double rate, const AdamOptions& o, double weight_decay) {
    at::_fused_adam_(c.parameters, c.gradients, c.means, c.mean_squares, {}, c.steps, rate, o.beta1, o.beta2,
                     weight_decay, o.eps, /*amsgrad=*/false, /*maximize=*/false);
  }
  static void call_adamw(Columns& c, double rate, const AdamOptions& o, double weight_decay) {
    at::_fused_adamw_(c.parameters, c.gradients, c.means, c.mean_squares, {}, c.steps, rate, o.beta1, o.beta2,
                      weight_decay, o.eps, /*amsgrad=*/false, /*maximize=*/false);
  }

  AdamOptions options_;  // its own copy: numbers alone, so which of the two it was is kept beside
  bool decoupled_;
  std::vector<Slot> slots_;
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(const AdamOptions& options, const torch::nn::Module& model) {
  return std::make_unique<Adam>(options, model);
}

}  // namespace attnlab
