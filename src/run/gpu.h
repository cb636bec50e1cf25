// What the NVIDIA driver says of the first CUDA device that this process may see. Loads nothing of Torch and
// needs no CUDA toolkit: the driver's own libraries are opened where they are there.
#pragma once

#include <cstdint>
#include <string>

namespace attnlab {

/// Model; "" where there is none.
std::string gpu_name();

/// Memory in bytes, all of it; −1 where there is none.
int64_t gpu_memory();

/// The newest CUDA that the driver knows, 13000 for 13.0; 0 where there is no driver.
int driver_cuda_version();

/// What a measured time depends on beside the model.
struct GpuState {
  std::string driver;        ///< release, "580.65.06"; "" where NVML is not there
  std::string architecture;  ///< "9.0"
  int64_t processors = 0;    ///< multiprocessors
  int64_t clock = 0, highest_clock = 0, memory_clock = 0;  ///< MHz, now, at most, now; 0: unknown
  double power_limit = 0;                                  ///< W
  int64_t free_memory = -1, memory = -1;                   ///< bytes, now, in all; −1: unknown

  /// "driver 580.65.06, architecture 9.0, 132 multiprocessors, …"; "" where there is no device.
  std::string words() const;
};

GpuState gpu_state();

}  // namespace attnlab
