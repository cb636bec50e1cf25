// From the host to where it is computed.
#pragma once

#include <torch/torch.h>

namespace attnlab {

/// A host's tensor on the device. To a GPU from pinned memory and without waiting for what it has to do yet,
/// so that the next step is made ready while the last is computed.
inline torch::Tensor on_device(const torch::Tensor& host, torch::Device device) {
  return device.is_cuda() ? host.pin_memory().to(device, /*non_blocking=*/true) : host.to(device);
}

/// Until a GPU has done all that it was asked to: before a clock is read.
inline void wait_for(torch::Device device) {
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
}

}  // namespace attnlab
