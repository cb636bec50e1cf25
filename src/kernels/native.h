// What the native CPU operators share. Internal to kernels/.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "kernels/ops.h"
#include "kernels/simd/simd.h"

namespace attnlab {

/// Rows that one thread takes at a time: large enough for the matrix product, small enough for the caches.
inline constexpr int64_t slice_rows = 512;

/// What the native code can read.
inline bool is_fp32_on_cpu(const Tensor& t) { return t.is_cpu() && t.scalar_type() == torch::kFloat; }

/// True where the native code applies. Not under autocast, which asks for products in another type.
inline bool is_native(const Tensor& t) {
  return is_fp32_on_cpu(t) && !at::autocast::is_autocast_enabled(torch::kCPU);
}

/// Whether autograd would follow what is computed from this.
inline bool wants_gradient(const Tensor& t) { return at::GradMode::is_enabled() && t.requires_grad(); }

/// autograd functions take an absent tensor as nothing, not as an undefined one.
inline std::optional<Tensor> if_defined(const Tensor& t) {
  return t.defined() ? std::optional(t) : std::nullopt;
}

inline MaskSpec mask_spec(double probability, int64_t seed) {
  MaskSpec spec;
  spec.seed = static_cast<uint64_t>(seed);
  spec.threshold = static_cast<uint32_t>(std::min(std::lround(probability * 65536.0), 65535L));
  spec.scale = 65536.0f / static_cast<float>(65536 - spec.threshold);
  return spec;
}

/// out = a·b, or out += a·b. Matrices may be strided views with unit stride in one dimension. Safe inside
/// at::parallel_for, where the matrix library runs on the calling thread alone.
inline void multiply(Tensor out, const Tensor& a, const Tensor& b, bool accumulate = false) {
  if (accumulate)
    at::addmm_out(out, out, a, b);
  else
    at::mm_out(out, a, b);
}

/// Runs body(first row, rows, thread) over slices of `slice_rows`, each thread on its own share.
template <class Body>
void for_slices(int64_t rows, Body body) {
  const int64_t slices = (rows + slice_rows - 1) / slice_rows;
  at::parallel_for(0, slices, 1, [&](int64_t begin, int64_t end) {
    const torch::NoGradGuard no_grad;  // thread-local: worker threads have their own
    for (int64_t s = begin; s < end; ++s)
      body(s * slice_rows, std::min(slice_rows, rows - s * slice_rows), at::get_thread_num());
  });
}

/// Runs body(first row, rows) over rows of cheap element-wise work.
template <class Body>
void for_rows(int64_t rows, int64_t width, Body body) {
  at::parallel_for(0, rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(width, 1)),
                   [&](int64_t begin, int64_t end) { body(begin, end - begin, at::get_thread_num()); });
}

/// Runs body(b) for every member of the batch: side by side when there are enough of them to keep all threads
/// busy (the loops inside then run on the calling thread), one after the other, each on all threads, when
/// there are not.
template <class Body>
void for_batch(int64_t batch, Body body) {
  if (batch < 2 * at::get_num_threads()) {
    const torch::NoGradGuard no_grad;
    for (int64_t b = 0; b < batch; ++b) body(b);
    return;
  }
  at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
    const torch::NoGradGuard no_grad;
    for (int64_t b = begin; b < end; ++b) body(b);
  });
}

/// One zeroed tensor a thread, to be added up in a fixed order.
class PerThread {
 public:
  PerThread(at::IntArrayRef shape, const torch::TensorOptions& options) {
    const int count = at::in_parallel_region() ? 1 : at::get_num_threads();
    for (int i = 0; i < count; ++i) parts_.push_back(at::zeros(shape, options));
  }
  Tensor& operator[](int thread) { return parts_[parts_.size() == 1 ? 0 : static_cast<size_t>(thread)]; }
  Tensor sum() {
    for (size_t i = 1; i < parts_.size(); ++i) parts_[0].add_(parts_[i]);
    return parts_[0];
  }

 private:
  std::vector<Tensor> parts_;
};

}  // namespace attnlab
