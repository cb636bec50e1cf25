#include "tasks/speed/read_rate.h"

#include <algorithm>
#include <vector>

#include "kernels/bounded_attention.h"
#include "kernels/simd/simd.h"
#include "tasks/speed/model_step.h"

namespace attnlab {
namespace {

constexpr int64_t piece = 1 << 16;  // numbers that a thread takes at a time

/// Every number is read once; what the sum is does not matter, but that it is made does.
float sum_on_threads(const torch::Tensor& numbers) {
  const float* x = numbers.const_data_ptr<float>();
  const int64_t pieces = numbers.numel() / piece;
  std::vector<float> sums(static_cast<size_t>(pieces));
  side_by_side(pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sums[static_cast<size_t>(i)] = simd().sum(piece, x + i * piece);
  });
  return simd().sum(pieces, sums.data());
}

}  // namespace

ReadRate::ReadRate(int64_t bytes, torch::Device device)
    : numbers_(torch::zeros({std::max<int64_t>(1, bytes / 4 / piece) * piece},
                            torch::TensorOptions().device(device))) {}

double ReadRate::measure() const {
  const auto pass = [this] { numbers_.is_cpu() ? (void)sum_on_threads(numbers_) : (void)numbers_.sum(); };
  return static_cast<double>(numbers_.nbytes()) / seconds_each(numbers_.device(), pass);
}

}  // namespace attnlab
