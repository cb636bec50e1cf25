// Keys or values of a cache as the native kernels read and write them: fp32 or bf16, on the CPU.
#pragma once

#include <torch/torch.h>

#include <algorithm>

#include "kernels/stored_rows.h"

namespace attnlab {

class StoredTensor {
 public:
  static bool knows(const torch::Tensor& x) {
    return x.is_cpu() && (x.scalar_type() == torch::kFloat || x.scalar_type() == torch::kBFloat16);
  }

  explicit StoredTensor(const torch::Tensor& x) {
    if (x.scalar_type() == torch::kBFloat16)
      bf16_ = reinterpret_cast<uint16_t*>(x.data_ptr<at::BFloat16>());
    else
      fp32_ = x.data_ptr<float>();
  }

  StoredRows rows(int64_t first) const { return StoredRows{fp32_, bf16_} + first; }
  void get(int64_t first, int64_t n, float* x) const {
    if (bf16_)
      widen(n, bf16_ + first, x);
    else
      std::copy_n(fp32_ + first, n, x);
  }
  /// n numbers that the stored type holds.
  void put(int64_t first, int64_t n, const float* x) const {
    if (bf16_)
      narrow(n, x, bf16_ + first);
    else
      std::copy_n(x, n, fp32_ + first);
  }

 private:
  float* fp32_ = nullptr;
  uint16_t* bf16_ = nullptr;
};

}  // namespace attnlab
