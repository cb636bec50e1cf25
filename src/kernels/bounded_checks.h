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

inline void check_size(int64_t size, int64_t protect_first = 0) {
  TORCH_CHECK(size > 0, "a cache of ", size, " states holds nothing");
  TORCH_CHECK(0 <= protect_first && protect_first <= size, "a cache of ", size,
              " states cannot protect the first ", protect_first);
}

/// A tensor beside the rows, of a given type and shape.
inline void check_beside(const at::Tensor& t, const at::Tensor& rows, at::ScalarType type,
                         at::IntArrayRef sizes, const char* name) {
  TORCH_CHECK(
      t.device() == rows.device() && t.scalar_type() == type && t.sizes() == sizes && t.is_contiguous(),
      "expected ", name, " contiguous, ", type, " ", sizes, " on ", rows.device(), ", not ", t.toString(),
      " ", t.sizes());
}

/// One query of each head against all slots.
inline void check_step_shapes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  TORCH_CHECK(q.dim() == 3 && k.dim() == 4 && k.sizes() == v.sizes() && k.size(0) == q.size(0) &&
                  k.size(3) == q.size(2),
              "expected q [B, H, d] and k, v [B, K, S, d], not ", q.sizes(), ", ", k.sizes(), " and ",
              v.sizes());
}

/// A new token of each sequence, and what holds the states. Returns the number of lanes.
inline int64_t check_decode_shapes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                   const at::Tensor& kept_k, const at::Tensor& kept_v,
                                   const at::Tensor& order, const at::Tensor& counts, int64_t size) {
  TORCH_CHECK(q.dim() == 3 && k.dim() == 3 && k.sizes() == v.sizes() && k.size(0) == q.size(0) &&
                  k.size(2) == q.size(2),
              "expected q [B, H, d] and k, v [B, K, d], not ", q.sizes(), ", ", k.sizes(), " and ",
              v.sizes());
  const int64_t batch = q.size(0), kv = k.size(1), lanes = counts.dim() == 2 ? counts.size(0) : 0;
  TORCH_CHECK(lanes == batch || lanes == batch * kv, "expected counts [B, 3] or [B·K, 3], not ",
              counts.sizes());
  const at::DimVector kept{batch, kv, size + 1, q.size(2)};
  check_beside(kept_k, q, q.scalar_type(), kept, "kept_k [B, K, size + 1, d]");
  check_beside(kept_v, q, q.scalar_type(), kept, "kept_v [B, K, size + 1, d]");
  check_beside(order, q, at::kLong, {lanes, size + 1}, "order [L, size + 1]");
  check_beside(counts, q, at::kLong, {lanes, 3}, "counts [L, 3]");
  return lanes;
}

/// Whole texts.
inline void check_text_shapes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  TORCH_CHECK(q.dim() == 4 && k.dim() == 4 && k.sizes() == v.sizes() && k.size(0) == q.size(0) &&
                  k.size(1) == q.size(1) && k.size(3) == q.size(3),
              "expected q [B, T, H, d] and k, v [B, T, K, d], not ", q.sizes(), ", ", k.sizes(), " and ",
              v.sizes());
}

}  // namespace attnlab
