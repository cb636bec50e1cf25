#include "kernels/exact_product.h"

#include <ATen/Context.h>

#include <vector>

#include "kernels/native.h"

namespace attnlab {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Of matrices [batch, rows, columns]. A function of its own for the sake of its backward, which may run in a
/// thread, and under settings, that guards around the forward do not reach.
struct ExactProductFunction : torch::autograd::Function<ExactProductFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& y) {
    const c10::impl::ExcludeDispatchKeyGuard as_given(c10::autocast_dispatch_keyset);
    const at::NoTF32Guard no_tf32;
    ctx->save_for_backward({x, y});
    return at::bmm(x, y);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    Tensor dx, dy;
    if (ctx->needs_input_grad(0)) dx = apply(grads[0], saved[1].transpose(1, 2));
    if (ctx->needs_input_grad(1)) dy = apply(saved[0].transpose(1, 2), grads[0]);
    return {dx, dy};
  }
};

}  // namespace

Tensor exact_product(const Tensor& x, const Tensor& y) {
  // Outside, so that where this is a copy it is the copy that is kept for backward, and not made once more.
  const Tensor all = ExactProductFunction::apply(x.flatten(0, -3), y.flatten(0, -3));
  std::vector<int64_t> sizes(x.sizes().begin(), x.sizes().end());
  sizes.back() = y.size(-1);
  return all.view(sizes);
}

}  // namespace attnlab
