// Matrix products in bfloat16, parameters and the rest in fp32.
#pragma once

#include <torch/torch.h>

#include "train/options.h"

namespace attnlab {

/// Torch's autocast on `device` while it lives; does nothing for fp32. Its bfloat16 copies of weights go with
/// it, because they are stale after an update.
class Autocast {
 public:
  Autocast(Precision precision, torch::Device device);
  Autocast(const Autocast&) = delete;
  ~Autocast();

 private:
  torch::DeviceType device_;
  bool on_;
};

}  // namespace attnlab
