// What causal Luna's operators on CUDA demand of their arguments, which are read as plain memory: one
// sentence of a c10::Error each. It asks for one device, not for which, so that tests of it need no GPU.
#pragma once

#include <ATen/ATen.h>

#include <optional>

namespace attnlab::cuda {

/// fp32 beside q and of the shape that is called `shape`.
inline void check_beside_q(bool fits, const char* name, const char* shape, const at::Tensor& t,
                           const at::Tensor& q) {
  TORCH_CHECK(t.device() == q.device() && t.scalar_type() == at::kFloat,
              "causal Luna takes fp32 tensors on one device, and ", name, " is of ", t.scalar_type(), " on ",
              t.device(), " beside q on ", q.device());
  TORCH_CHECK(fits, "causal Luna takes ", name, " of shape ", shape, " beside q of ", q.sizes(), ", not ",
              t.sizes());
}

/// Both passes' operands; of the backward pass alone are `u` and `dy`.
struct LunaArguments {
  const at::Tensor &q, &k, &v, &a, &parts;
  std::optional<at::Tensor> bias = std::nullopt, mask = std::nullopt, u = std::nullopt, dy = std::nullopt;
};

inline void check_luna_arguments(const LunaArguments& x) {
  const auto q = x.q.sizes(), a = x.a.sizes();
  TORCH_CHECK(q.size() == 4 && q[2] > 0 && q[3] > 0,
              "causal Luna takes q of shape [B, H, N, d] with at least one token and one column, not ", q);
  check_beside_q(true, "q", "[B, H, N, d]", x.q, x.q);
  check_beside_q(x.k.sizes() == q, "k", "[B, H, N, d]", x.k, x.q);
  check_beside_q(x.v.sizes() == q, "v", "[B, H, N, d]", x.v, x.q);
  check_beside_q(a.size() == 4 && a.slice(0, 3) == q.slice(0, 3) && a[3] > 0, "a", "[B, H, N, L]", x.a, x.q);
  const auto parts = x.parts.sizes();
  check_beside_q(parts.size() == 2 && (parts[0] == 1 || parts[0] == q[0]) && parts[1] == q[2], "parts",
                 "[1, N] or [B, N]", x.parts, x.q);
  if (x.bias)
    check_beside_q(x.bias->sizes() == at::IntArrayRef({q[0], a[3]}), "bias", "[B, L]", *x.bias, x.q);
  if (x.mask) check_beside_q(x.mask->sizes() == a, "mask", "[B, H, N, L]", *x.mask, x.q);
  if (x.u) check_beside_q(x.u->sizes() == a, "u", "[B, H, N, L]", *x.u, x.q);
  if (x.dy) check_beside_q(x.dy->sizes() == q, "dy", "[B, H, N, d]", *x.dy, x.q);
}

}  // namespace attnlab::cuda
