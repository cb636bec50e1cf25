// Matrix products in a narrower type, parameters and the rest in fp32.
#pragma once

#include <torch/torch.h>

#include "train/options.h"

namespace attnlab {

/// While it lives: for bf16 Torch's autocast on `device`, whose bfloat16 copies of weights go with it,
/// because they are stale after an update; for tf32 products of fp32 numbers in TF32 on a GPU (19 bits), on
/// the CPU as they are; fp32: no change.
class Autocast {
 public:
  Autocast(Precision precision, torch::Device device);
  Autocast(const Autocast&) = delete;
  ~Autocast();

 private:
  torch::DeviceType device_;
  Precision precision_;
  bool tf32_before_;
};

}  // namespace attnlab
