#include "kernels/causal_luna_device.h"

#include "kernels/causal_luna_checks.h"
#include "kernels/dispatched.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct DeviceLunaFunction : torch::autograd::Function<DeviceLunaFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& q, const Tensor& k, const Tensor& v,
                        const Tensor& a, const Tensor& parts, const std::optional<Tensor>& bias,
                        const std::optional<Tensor>& mask) {
    const auto [y, u] = dispatched::causal_luna_forward().call(q, k, v, a, parts, bias, mask);
    ctx->save_for_backward({q, k, v, a, parts, u, mask.value_or(Tensor())});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    refuse_second_derivative();
    const variable_list saved = ctx->get_saved_variables();
    const auto [dq, dk, dv, da] = dispatched::causal_luna_backward().call(
        grads[0], saved[0], saved[1], saved[2], saved[3], saved[4], saved[5], if_defined(saved[6]));
    return {dq, dk, dv, da, {}, {}, {}};
  }
};

}  // namespace

bool has_device_causal_luna(const Tensor& q, const Tensor& a) {
  return q.is_cuda() &&
         dispatched::operation("attnlab::causal_luna_fits").hasKernelForDispatchKey(c10::DispatchKey::CUDA) &&
         dispatched::causal_luna_fits().call(q, a.size(3));
}

Tensor device_causal_luna(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& a,
                          const Tensor& parts, const Tensor& bias, Drop drop) {
  const Tensor mask = drop.active() ? dropout_mask(a.detach(), drop) : Tensor();
  return DeviceLunaFunction::apply(q, k, v, a, parts, if_defined(bias), if_defined(mask));
}

}  // namespace attnlab
