#include "kernels/projected_cross_entropy.h"

#include "kernels/linear.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// The smoothed target: `share` to every symbol, `target` more to the target. They add up to 1, so that the
/// loss of a row of logits z is log Σ e^z − target·z_t − share·Σ z, its gradient softmax(z) − share, and
/// −target at t.
struct SmoothedShares {
  double share, target;
};

SmoothedShares shares_of(const SmoothedTargets& by, int64_t vocabulary) {
  const bool fairseq = by.convention == SmoothedTargets::Convention::fairseq;
  const double share = by.epsilon / static_cast<double>(fairseq ? vocabulary - 1 : vocabulary);
  return {share, 1 - by.epsilon - (fairseq ? share : 0)};
}

/// Logits [n, V] of one slice become the gradient of its smoothed loss; the two losses of each row, double
/// [2, n].
Tensor losses_and_gradient(Tensor& z, const Tensor& targets, const SmoothedShares& shares) {
  const Tensor at_target = targets.unsqueeze(1);
  const Tensor chosen = z.gather(1, at_target).squeeze(1).to(torch::kDouble);
  const Tensor log_sum = z.logsumexp(1).to(torch::kDouble), total = z.sum(1, false, torch::kDouble);
  z = z.softmax(1).sub_(shares.share);
  z.scatter_add_(1, at_target, at::full_like(at_target, -shares.target, z.options()));
  return torch::stack({log_sum - shares.target * chosen - shares.share * total, log_sum - chosen});
}

/// The same for fp32 on the CPU, in place.
Tensor native_losses_and_gradient(Tensor& z, const Tensor& targets, const SmoothedShares& shares) {
  const int64_t rows = z.size(0), vocabulary = z.size(1);
  Tensor losses = at::empty({2, rows}, z.options().dtype(torch::kDouble));
  float* logits = z.mutable_data_ptr<float>();
  const int64_t* target = targets.const_data_ptr<int64_t>();
  double *smoothed = losses.mutable_data_ptr<double>(), *nll = smoothed + rows;
  for_rows(rows, vocabulary, [&](int64_t first, int64_t count, int) {
    for (int64_t i = first; i < first + count; ++i) {
      float* row = logits + i * vocabulary;
      const double chosen = static_cast<double>(row[target[i]]);
      const auto [top, sum, total] = simd().softmax_minus(vocabulary, static_cast<float>(shares.share), row);
      row[target[i]] -= static_cast<float>(shares.target);
      const double log_sum = static_cast<double>(top) + std::log(sum);
      smoothed[i] = log_sum - shares.target * chosen - shares.share * total;
      nll[i] = log_sum - chosen;
    }
  });
  return losses;
}

/// Operands of the products, in the type that these are made in.
struct Projection {
  Tensor hidden, weight, bias;
  Tensor logits(int64_t first, int64_t rows) const {
    const Tensor z = product(hidden.narrow(0, first, rows), weight, bias);
    return z.scalar_type() == torch::kDouble ? z : z.to(torch::kFloat);
  }
};

/// Adds a·b to `sum`, whatever the type of the product.
void add_product(Tensor& sum, const Tensor& a, const Tensor& b) {
  if (sum.scalar_type() == a.scalar_type())
    multiply(sum, a, b, /*accumulate=*/true);
  else
    sum.add_(at::mm(a, b));
}

struct ProjectedCrossEntropyFunction : torch::autograd::Function<ProjectedCrossEntropyFunction> {
  static variable_list forward(AutogradContext* ctx, const Tensor& hidden, const Tensor& weight,
                               const std::optional<Tensor>& bias, const Tensor& targets, double share,
                               double target, bool of_hidden, bool of_weight, bool of_bias,
                               torch::Dtype type) {
    const SmoothedShares shares{share, target};
    const c10::impl::ExcludeDispatchKeyGuard as_given(c10::autocast_dispatch_keyset);
    const int64_t n = hidden.size(0), step = std::max(least_slice_rows, slice_logits / weight.size(0));
    const Projection all{hidden.to(type), weight.to(type), bias ? bias->to(type) : Tensor()};
    Tensor dhidden = of_hidden ? at::empty_like(hidden) : Tensor();
    Tensor dweight = of_weight ? at::zeros_like(weight) : Tensor();
    Tensor dbias = of_bias ? at::zeros_like(*bias) : Tensor();
    Tensor losses = at::zeros({2}, hidden.options().dtype(torch::kDouble));
    for (int64_t first = 0; first < n; first += step) {
      const int64_t rows = std::min(step, n - first);
      Tensor z = all.logits(first, rows);
      const auto of_slice = is_fp32_on_cpu(z) ? &native_losses_and_gradient : &losses_and_gradient;
      losses += of_slice(z, targets.narrow(0, first, rows), shares).sum(1);
      if (of_bias) dbias += z.sum(0);
      z = z.to(type);
      if (of_hidden) dhidden.narrow(0, first, rows).copy_(product(z, all.weight.t()));
      if (of_weight) add_product(dweight, z.t(), all.hidden.narrow(0, first, rows));
    }
    ctx->save_for_backward({dhidden, dweight, dbias});
    const Tensor smoothed = losses[0].clone(), nll = losses[1].clone();
    ctx->mark_non_differentiable({nll});
    return {smoothed, nll};
  }

  /// Scales in place: a second backward finds its tensors changed, and Torch says so.
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    variable_list of = ctx->get_saved_variables();
    for (Tensor& gradient : of)
      if (gradient.defined()) gradient.mul_(grads[0]);
    return {of[0], of[1], of[2], {}, {}, {}, {}, {}, {}, {}};
  }
};

void check_operands(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                    const SmoothedTargets& by) {
  TORCH_CHECK(hidden.dim() == 2 && weight.dim() == 2 && hidden.size(1) == weight.size(1),
              "a projection of hidden [N, D] by weight [V, D], not of ", hidden.sizes(), " by ",
              weight.sizes());
  TORCH_CHECK(
      targets.dim() == 1 && targets.size(0) == hidden.size(0) && targets.scalar_type() == torch::kLong,
      "one int64 target for each of ", hidden.size(0), " rows, not ", targets.toString(), targets.sizes());
  TORCH_CHECK(by.epsilon >= 0 && by.epsilon < 1 && weight.size(0) > 1,
              "label smoothing within [0, 1) over at least two symbols, not ", by.epsilon, " over ",
              weight.size(0));
}

void check_targets(const Tensor& targets, int64_t vocabulary) {
  if (!targets.is_cpu() || targets.numel() == 0) return;  // on a device it would have to be waited for
  const auto [least, most] = at::aminmax(targets);
  TORCH_CHECK(least.item<int64_t>() >= 0 && most.item<int64_t>() < vocabulary, "targets from ",
              least.item<int64_t>(), " to ", most.item<int64_t>(), " of ", vocabulary, " symbols");
}

}  // namespace

ProjectedLoss projected_cross_entropy(const Tensor& hidden_ND, const Tensor& weight_VD, const Tensor& bias_V,
                                      const Tensor& targets_N, const SmoothedTargets& by) {
  check_operands(hidden_ND, weight_VD, targets_N, by);
  const Tensor counts = targets_N.ne(by.ignored);
  if (!counts.all().item<bool>()) {
    const Tensor kept = counts.nonzero().squeeze(1);
    return projected_cross_entropy(hidden_ND.index_select(0, kept), weight_VD, bias_V,
                                   targets_N.index_select(0, kept), by);
  }
  check_targets(targets_N, weight_VD.size(0));
  const auto [share, target] = shares_of(by, weight_VD.size(0));
  const torch::DeviceType device = hidden_ND.device().type();
  const bool automatic = at::autocast::is_autocast_enabled(device);
  const torch::Dtype type = automatic ? at::autocast::get_autocast_dtype(device) : weight_VD.scalar_type();
  const variable_list both = ProjectedCrossEntropyFunction::apply(
      hidden_ND.contiguous(), weight_VD, if_defined(bias_V), targets_N.contiguous(), share, target,
      wants_gradient(hidden_ND), wants_gradient(weight_VD), bias_V.defined() && wants_gradient(bias_V), type);
  return {both[0], both[1]};
}

}  // namespace attnlab
