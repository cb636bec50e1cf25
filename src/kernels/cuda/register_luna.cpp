// Causal Luna on CUDA, in fp32, beside the bounded operators of register.cpp. Not run on a GPU yet: see
// causal_luna.h.
#include <ATen/ATen.h>
#include <ATen/cuda/CUDAContextLight.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "kernels/cuda/causal_luna.h"
#include "kernels/cuda/luna_checks.h"
#include "kernels/cuda/luna_scan.h"

namespace attnlab::cuda {
namespace {

using at::Tensor;
using MaybeTensor = std::optional<Tensor>;

/// Fewer tokens in a stretch are read and written more often as sums than as tokens.
constexpr int64_t least_stretch = 256;

Tensor with_rows(const Tensor& x) { return x.stride(-1) == 1 || x.size(-1) == 1 ? x : x.contiguous(); }

HeadRows<const float> read_rows(const Tensor& x) {
  return {x.const_data_ptr<float>(), x.stride(0), x.stride(1), x.stride(2)};
}
HeadRows<float> written_rows(const Tensor& x) {
  return {x.mutable_data_ptr<float>(), x.stride(0), x.stride(1), x.stride(2)};
}

/// [B, H, N, w] whose memory is [B, N, H, w].
Tensor empty_by_token(const Tensor& like) {
  return at::empty({like.size(0), like.size(2), like.size(1), like.size(3)}, like.options()).transpose(1, 2);
}

/// First of all, so that nothing is asked of a tensor that is not as it should be.
void check(const LunaArguments& arguments) {
  check_luna_arguments(arguments);
  TORCH_CHECK(arguments.q.is_cuda(), "causal Luna's passes on CUDA take tensors there, and q is on ",
              arguments.q.device());
}

/// The operands as a call has them, alive as long as it is used.
struct LunaOperands {
  LunaOperands(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& a, const Tensor& parts,
               const MaybeTensor& bias, const MaybeTensor& mask)
      : q(with_rows(q)), k(with_rows(k)), v(with_rows(v)), a(with_rows(a)), parts(parts.contiguous()) {
    TORCH_CHECK(q.size(2) * a.size(3) < (int64_t{1} << 31), "causal Luna of ", q.size(2), " tokens and ",
                a.size(3), " rows of P is out of range");
    if (bias) this->bias = bias->contiguous();
    if (mask) this->mask = mask->contiguous();
  }

  LunaCall<float> call(const Tensor& u) const {
    LunaCall<float> c{.batch = static_cast<int>(q.size(0)),
                      .heads = static_cast<int>(q.size(1)),
                      .tokens = static_cast<int>(q.size(2)),
                      .d = static_cast<int>(q.size(3)),
                      .l = static_cast<int>(a.size(3)),
                      .q = read_rows(q),
                      .k = read_rows(k),
                      .v = read_rows(v),
                      .a = read_rows(a),
                      .parts = parts.const_data_ptr<float>(),
                      .parts_of_text = parts.size(0) == 1 ? 0 : q.size(2),
                      .bias = bias.defined() ? bias.const_data_ptr<float>() : nullptr,
                      .mask = mask.defined() ? mask.const_data_ptr<float>() : nullptr,
                      .u = u.mutable_data_ptr<float>()};
    share_out(c);
    return c;
  }

  Tensor q, k, v, a, parts, bias, mask;

 private:
  /// Heads that fill the device go through their tokens in one pass; fewer are cut into stretches.
  static void share_out(LunaCall<float>& c) {
    const int64_t heads = int64_t{c.batch} * c.heads, n = c.tokens;
    const int64_t processors = at::cuda::getCurrentDeviceProperties()->multiProcessorCount;
    int64_t each = heads >= processors ? 1 : (2 * processors + heads - 1) / heads;
    each = std::clamp<int64_t>(n / least_stretch, 1, each);
    const int64_t chunks = ((n + each - 1) / each + luna_chunk_tokens - 1) / luna_chunk_tokens;
    c.stretch = static_cast<int>(chunks * luna_chunk_tokens);
    c.each = static_cast<int>((n + c.stretch - 1) / c.stretch);
  }
};

void run(LunaPass pass, LunaCall<float> call, const Tensor& sums) {
  call.sums = sums.mutable_data_ptr<float>();
  const char* reason = causal_luna(pass, call, c10::cuda::getCurrentCUDAStream().stream());
  TORCH_CHECK(!reason, reason);
}

/// Sums of all tokens before each stretch, or behind it.
Tensor sums_around(LunaPass pass, const LunaCall<float>& call, const Tensor& like) {
  const int64_t numbers = int64_t{call.l} * 2 * call.d, heads = int64_t{call.batch} * call.heads;
  const bool behind = pass == LunaPass::suffix_sums;
  Tensor all = at::zeros({heads, call.each, numbers}, like.options());
  if (call.each == 1) return all;
  Tensor own = at::empty_like(all);
  run(pass, call, own);
  if (behind) own = own.flip(1);
  all.narrow(1, 1, call.each - 1).copy_(own.narrow(1, 0, call.each - 1).cumsum(1));
  return behind ? all.flip(1).contiguous() : all;
}

/// Where not, causal Luna is computed as products over chunks.
bool fits(const Tensor& q, int64_t rows) {
  const auto* device = at::cuda::getDeviceProperties(q.get_device());
  return luna_fits(q.size(2), q.size(3), rows, static_cast<int64_t>(device->sharedMemPerBlockOptin));
}

std::tuple<Tensor, Tensor> forward(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& a,
                                   const Tensor& parts, const MaybeTensor& bias, const MaybeTensor& mask) {
  check({q, k, v, a, parts, bias, mask});
  if (q.numel() == 0) return {at::empty_like(q), at::empty_like(a)};
  const c10::cuda::CUDAGuard guard(q.device());
  const LunaOperands operands(q, k, v, a, parts, bias, mask);
  const Tensor y = empty_by_token(q), u = at::empty(a.sizes(), a.options());
  LunaCall<float> call = operands.call(u);
  call.y = written_rows(y);
  run(LunaPass::forward, call, sums_around(LunaPass::sums, call, q));
  return {y, u};
}

std::tuple<Tensor, Tensor, Tensor, Tensor> backward(const Tensor& grad, const Tensor& q, const Tensor& k,
                                                    const Tensor& v, const Tensor& a, const Tensor& parts,
                                                    const Tensor& u, const MaybeTensor& mask) {
  check({q, k, v, a, parts, {}, mask, u, grad});
  if (q.numel() == 0) return {at::empty_like(q), at::empty_like(k), at::empty_like(v), at::empty_like(a)};
  const c10::cuda::CUDAGuard guard(q.device());
  const LunaOperands operands(q, k, v, a, parts, {}, mask);
  const Tensor dy = with_rows(grad), dq = empty_by_token(q), dk = empty_by_token(k), dv = empty_by_token(v),
               da = at::empty(a.sizes(), a.options()), weights = u.contiguous(),
               dlogits = at::empty_like(weights);
  LunaCall<float> call = operands.call(weights);
  call.dy = read_rows(dy);
  call.dq = written_rows(dq);
  call.dk = written_rows(dk);
  call.dv = written_rows(dv);
  call.da = written_rows(da);
  call.dlogits = dlogits.mutable_data_ptr<float>();
  run(LunaPass::backward_queries, call, sums_around(LunaPass::sums, call, q));
  run(LunaPass::backward_keys, call, sums_around(LunaPass::suffix_sums, call, q));
  return {dq, dk, dv, da};
}

}  // namespace

TORCH_LIBRARY_IMPL(attnlab, CUDA, m) {
  m.impl("causal_luna_fits", fits);
  m.impl("causal_luna_forward", forward);
  m.impl("causal_luna_backward", backward);
}

}  // namespace attnlab::cuda
