// Rotary positions on CUDA, in fp32 and bf16, beside the operators of register.cpp. Not run on a GPU yet: see
// rotary_turn.h.
#include <ATen/ATen.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <tuple>

#include "kernels/cuda/rotary_turn.h"

namespace attnlab::cuda {
namespace {

using at::Tensor;

/// x [B, T, heads, d], or an angle's table [B, T, half], beside q.
void check_turned(const Tensor& x, const Tensor& q, int64_t width, const char* name) {
  TORCH_CHECK(x.device() == q.device() && x.scalar_type() == q.scalar_type() && x.size(0) == q.size(0) &&
                  x.size(1) == q.size(1) && x.size(-1) == width,
              "rotary positions: ", name, " does not fit queries of shape ", q.sizes());
}

std::tuple<Tensor, Tensor> turn(const Tensor& q_, const Tensor& k_, const Tensor& cosines_,
                                const Tensor& sines_) {
  const Tensor q = q_.contiguous(), k = k_.contiguous(), cosines = cosines_.contiguous(),
               sines = sines_.contiguous();
  TORCH_CHECK(q.is_cuda() && (q.scalar_type() == at::kFloat || q.scalar_type() == at::kBFloat16) &&
                  q.dim() == 4 && k.dim() == 4 && cosines.dim() == 3 && sines.dim() == 3 &&
                  q.size(3) % 2 == 0,
              "rotary positions take fp32 or bf16 tensors [B, T, heads, d] of an even d on CUDA");
  check_turned(k, q, q.size(3), "k");
  check_turned(cosines, q, q.size(3) / 2, "cosines");
  check_turned(sines, q, q.size(3) / 2, "sines");
  const c10::cuda::CUDAGuard guard(q.device());
  const Tensor turned_q = at::empty_like(q), turned_k = at::empty_like(k);
  if (q.numel() + k.numel() == 0) return {turned_q, turned_k};
  const TurnCall call{.type = q.scalar_type() == at::kFloat ? Type::fp32 : Type::bf16,
                      .tokens = q.size(0) * q.size(1),
                      .heads = static_cast<int>(q.size(2)),
                      .kv_heads = static_cast<int>(k.size(2)),
                      .half = static_cast<int>(q.size(3) / 2),
                      .q = q.const_data_ptr(),
                      .k = k.const_data_ptr(),
                      .cosines = cosines.const_data_ptr(),
                      .sines = sines.const_data_ptr(),
                      .turned_q = turned_q.mutable_data_ptr(),
                      .turned_k = turned_k.mutable_data_ptr()};
  const char* reason = turn_pairs(call, c10::cuda::getCurrentCUDAStream().stream());
  TORCH_CHECK(!reason, reason);
  return {turned_q, turned_k};
}

}  // namespace

TORCH_LIBRARY_IMPL(attnlab, CUDA, m) { m.impl("turn_pairs", turn); }

}  // namespace attnlab::cuda
