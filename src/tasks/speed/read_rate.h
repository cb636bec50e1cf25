// How fast the device reads memory: what decoding one text at a time is bound by.
#pragma once

#include <torch/torch.h>

namespace attnlab {

class ReadRate {
 public:
  /// Sums `bytes` of fp32 numbers, far more than the caches hold, on Torch's threads.
  ReadRate(int64_t bytes, torch::Device device);
  /// Bytes a second: the faster of two passes (seconds_each).
  double measure() const;

 private:
  torch::Tensor numbers_;
};

}  // namespace attnlab
