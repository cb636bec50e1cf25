#include "kernels/linear.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include "kernels/native.h"

namespace attnlab {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// oneDNN looks its kernel up at every call, which smaller products notice (Zen 4: 16 million operations).
constexpr int64_t least_operations = int64_t{1} << 24;

/// Whether MKL leaves the processor's AVX-512 alone: linear.h.
bool prefers_onednn() {
#if defined(__x86_64__)
  static const bool is_amd = __builtin_cpu_is("amd") && __builtin_cpu_supports("avx512f");
  return is_amd;
#else
  return false;
#endif
}

/// What Torch registers for the code that its compiler writes (torch.ops.mkldnn._linear_pointwise): x, w, b,
/// what to apply to each element, its arguments and which of its kinds.
using PointwiseLinear = Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, std::string_view,
                               c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);

std::optional<c10::TypedOperatorHandle<PointwiseLinear>> find_pointwise_linear() {
  const auto found = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  return found ? std::optional(found->typed<PointwiseLinear>()) : std::nullopt;
}

struct LinearFunction : torch::autograd::Function<LinearFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& w_NK,
                        const std::optional<Tensor>& b_N) {
    ctx->save_for_backward({x, w_NK});
    ctx->saved_data["biased"] = b_N.has_value();
    std::vector<int64_t> shape = x.sizes().vec();
    shape.back() = w_NK.size(0);
    // Not a view: Torch forbids to change one in place where a function of one's own made it.
    return at::_unsafe_view(product(x.reshape({-1, x.size(-1)}), w_NK, b_N.value_or(Tensor())), shape);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &w_NK = saved[1];
    const Tensor dy_RN = grads[0].reshape({-1, w_NK.size(0)});
    Tensor dx, dw_NK, db_N;
    if (ctx->needs_input_grad(0)) dx = product(dy_RN, w_NK.t()).view(x.sizes());
    // oneDNN is no faster with both operands turned over (Zen 4).
    if (ctx->needs_input_grad(1)) dw_NK = at::mm(dy_RN.t(), x.reshape({-1, x.size(-1)}));
    if (ctx->saved_data["biased"].toBool() && ctx->needs_input_grad(2)) db_N = dy_RN.sum(0);
    return {dx, dw_NK, db_N};
  }
};

}  // namespace

std::optional<Tensor> onednn_product(const Tensor& x_RK, const Tensor& w_NK, const Tensor& b_N) {
  static const auto pointwise_linear = find_pointwise_linear();
  if (!pointwise_linear) return std::nullopt;
  return pointwise_linear->call(x_RK, w_NK, if_defined(b_N), "none", c10::List<std::optional<at::Scalar>>(),
                                "");
}

Tensor product(const Tensor& x_RK, const Tensor& w_NK, const Tensor& b_N) {
  const bool wanted = wants_gradient(x_RK) || wants_gradient(w_NK) || (b_N.defined() && wants_gradient(b_N));
  if (prefers_onednn() && !wanted && is_native(x_RK) && is_fp32_on_cpu(w_NK) &&
      x_RK.numel() * w_NK.size(0) >= least_operations)
    if (const auto y_RN = onednn_product(x_RK, w_NK, b_N)) return *y_RN;
  return b_N.defined() ? at::addmm(b_N, x_RK, w_NK.t()) : at::mm(x_RK, w_NK.t());
}

Tensor affine(const Tensor& x, const Tensor& w_NK, const Tensor& b_N) {
  if (!is_native(x) || !is_fp32_on_cpu(w_NK)) return at::linear(x, w_NK, if_defined(b_N));
  return LinearFunction::apply(x, w_NK, if_defined(b_N));
}

}  // namespace attnlab
