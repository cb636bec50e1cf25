// What the bounded operators demand of their arguments, on the CPU and on CUDA alike. Each throws c10::Error.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <initializer_list>

namespace attnlab {

inline void check_no_gradient(std::initializer_list<at::Tensor> tensors) {
  for (const at::Tensor& t : tensors)
    TORCH_CHECK(!at::GradMode::is_enabled() || !t.requires_grad(),
                "this operator has no backward: call it under torch.no_grad()");
}

inline void check_heads(int64_t heads, int64_t kv_heads) {
  TORCH_CHECK(kv_heads > 0 && heads > 0 && heads % kv_heads == 0, "the ", kv_heads,
              " key-value heads of k do not divide the ", heads, " query heads of q");
}

inline void check_size(int64_t size) { TORCH_CHECK(size > 0, "a cache of ", size, " states holds nothing"); }

/// One query of each head against all slots.
inline void check_step_shapes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  TORCH_CHECK(q.dim() == 3 && k.dim() == 4 && k.sizes() == v.sizes() && k.size(0) == q.size(0) &&
                  k.size(3) == q.size(2),
              "expected q [B, H, d] and k, v [B, K, S, d], not ", q.sizes(), ", ", k.sizes(), " and ",
              v.sizes());
}

/// Whole texts.
inline void check_text_shapes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  TORCH_CHECK(q.dim() == 4 && k.dim() == 4 && k.sizes() == v.sizes() && k.size(0) == q.size(0) &&
                  k.size(1) == q.size(1) && k.size(3) == q.size(3),
              "expected q [B, T, H, d] and k, v [B, T, K, d], not ", q.sizes(), ", ", k.sizes(), " and ",
              v.sizes());
}

}  // namespace attnlab
