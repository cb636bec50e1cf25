#include <algorithm>
#include <cmath>

#include "kernels/bounded_attention.h"
#include "train/optimizer.h"

namespace attnlab {
namespace {

/// The tensors of one parameter: m, B, d and t of the algorithm.
struct ApolloSlot {
  std::string name;
  torch::Tensor parameter, mean, hessian, direction, steps;
};

/// The numbers of one update that all elements share.
struct ApolloScalars {
  double alpha, decay, rebound, eps, rate;
};

/// Σ d⁴, Σ δ·d and Σ B·d², δ being the gradient's distance from its mean.
struct ApolloSums {
  double fourth = 0, change = 0, curvature = 0;
  ApolloSums& operator+=(const ApolloSums& o) {
    fourth += o.fourth, change += o.change, curvature += o.curvature;
    return *this;
  }
  /// Of d before it is divided by its norm s = ‖d‖₄ + eps/rebound.
  double norm(const ApolloScalars& by) const { return std::pow(fourth, 0.25) + by.eps / by.rebound; }
};

/// Elements [begin, end) of one parameter, as plain memory.
template <class T>
struct ApolloSpan {
  T *x, *mean, *hessian, *direction;
  const T* gradient;
  int64_t begin, end;
};

/// Moves the mean towards the gradient, and sums.
template <class T>
ApolloSums move_mean(const ApolloSpan<T>& s, const ApolloScalars& by) {
  const T alpha = static_cast<T>(by.alpha), decay = static_cast<T>(by.decay);
  ApolloSums sums;
  for (int64_t i = s.begin; i < s.end; ++i) {
    const T change = s.gradient[i] + decay * s.x[i] - s.mean[i], d = s.direction[i];
    s.mean[i] += alpha * change;
    sums.fourth += static_cast<double>(d * d) * static_cast<double>(d * d);
    sums.change += static_cast<double>(change * d);
    sums.curvature += static_cast<double>(s.hessian[i] * d * d);
  }
  return sums;
}

/// B += correction·d², where `correction` is c over the square of d's norm; then the step.
template <class T>
void move_parameter(const ApolloSpan<T>& s, const ApolloScalars& by, double correction) {
  const T c = static_cast<T>(correction), least = static_cast<T>(by.rebound), rate = static_cast<T>(by.rate);
  for (int64_t i = s.begin; i < s.end; ++i) {
    s.hessian[i] += c * s.direction[i] * s.direction[i];
    s.direction[i] = s.mean[i] / std::max(std::abs(s.hessian[i]), least);
    s.x[i] -= rate * s.direction[i];
  }
}

/// Sums are gathered by blocks of this size, in order, so that they do not depend on the number of threads.
constexpr int64_t apollo_block = 16384;

template <class T>
void step_on_cpu(const ApolloSlot& slot, const ApolloScalars& by) {
  const torch::Tensor gradient = slot.parameter.grad().contiguous();
  torch::Tensor x = slot.parameter, mean = slot.mean, hessian = slot.hessian, direction = slot.direction;
  const int64_t count = x.numel(), blocks = (count + apollo_block - 1) / apollo_block;
  const ApolloSpan<T> all{x.mutable_data_ptr<T>(),
                          mean.mutable_data_ptr<T>(),
                          hessian.mutable_data_ptr<T>(),
                          direction.mutable_data_ptr<T>(),
                          gradient.const_data_ptr<T>(),
                          0,
                          count};
  const auto block = [&](int64_t b) {
    ApolloSpan<T> part = all;
    part.begin = b * apollo_block;
    part.end = std::min(count, part.begin + apollo_block);
    return part;
  };
  std::vector<ApolloSums> parts(static_cast<std::size_t>(blocks));
  side_by_side(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) parts[static_cast<std::size_t>(b)] = move_mean(block(b), by);
  });
  ApolloSums sums;
  for (const ApolloSums& part : parts) sums += part;
  const double square = std::pow(sums.norm(by), 2), fourth = square * square;
  // c over s²: d is divided by s in c's sums and in B's growth alike.
  const double correction = -(by.alpha * sums.change + sums.curvature) / fourth;
  side_by_side(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) move_parameter(block(b), by, correction);
  });
}

/// The same of Torch's operators, without waiting for the device.
void step_composed(const ApolloSlot& slot, const ApolloScalars& by) {
  torch::Tensor x = slot.parameter, mean = slot.mean, hessian = slot.hessian, direction = slot.direction;
  const torch::Tensor change = x.grad() + by.decay * x - mean;
  mean.add_(change, by.alpha);
  const torch::Tensor norm = direction.norm(4) + by.eps / by.rebound;
  direction.div_(norm);
  const torch::Tensor square = direction * direction;
  const torch::Tensor c = -by.alpha * (change / norm * direction).sum() - (hessian * square).sum();
  hessian.add_(c * square);
  direction.copy_(mean / hessian.abs().clamp_min(by.rebound));
  x.sub_(direction, by.rate);
}

class Apollo final : public Optimizer {
 public:
  Apollo(const ApolloOptions& options, const torch::nn::Module& model) : options_(options) {
    for (const auto& [name, parameter] : trainable_parameters(model)) {
      const auto zeros = [&p = parameter] {
        return torch::zeros_like(p, p.options().requires_grad(false), torch::MemoryFormat::Contiguous);
      };
      // Counted on the CPU: the step's scalars are computed from it.
      slots_.push_back({name, parameter, zeros(), zeros(), zeros(), torch::zeros({}, torch::kInt64)});
    }
  }

  void step(double learning_rate) override {
    const torch::NoGradGuard no_grad;
    for (ApolloSlot& slot : slots_)
      if (slot.parameter.grad().defined()) step(slot, learning_rate);
  }

  NamedTensors state() const override {
    NamedTensors tensors;
    for (const ApolloSlot& s : slots_) {
      tensors.emplace_back(s.name + ".mean", s.mean);
      tensors.emplace_back(s.name + ".hessian", s.hessian);
      tensors.emplace_back(s.name + ".direction", s.direction);
      tensors.emplace_back(s.name + ".steps", s.steps);
    }
    return tensors;
  }

 private:
  void step(ApolloSlot& slot, double rate) const {
    slot.steps += 1;
    const double t = static_cast<double>(slot.steps.item<int64_t>());
    const double alpha = (1 - options_.beta) / (1 - std::pow(options_.beta, t));
    const ApolloScalars by{alpha, options_.weight_decay, options_.rebound, options_.eps, rate};
    const torch::Tensor& x = slot.parameter;
    if (x.is_cpu() && x.is_contiguous() && x.scalar_type() == torch::kFloat)
      step_on_cpu<float>(slot, by);
    else if (x.is_cpu() && x.is_contiguous() && x.scalar_type() == torch::kDouble)
      step_on_cpu<double>(slot, by);
    else
      step_composed(slot, by);
  }

  ApolloOptions options_;
  std::vector<ApolloSlot> slots_;
};

}  // namespace

std::unique_ptr<Optimizer> make_apollo(const ApolloOptions& options, const torch::nn::Module& model) {
  return std::make_unique<Apollo>(options, model);
}

}  // namespace attnlab
