// What a step needs above what is held when it begins.
#pragma once

#include "tasks/speed/model_step.h"

namespace attnlab {

/// Peaks of a step above parameters, gradients and optimiser state, in bytes.
struct StepMemory {
  int64_t allocator = 0;  ///< held by tensors
  int64_t resident = 0;   ///< on the CPU pages of the process, −1 where the kernel does not let the peak be
                          ///< reset; on CUDA what the allocator reserved of the device
};

/// Gives unused memory back, then meters from here on.
class MemoryMeter {
 public:
  explicit MemoryMeter(torch::Device device);
  /// Peaks since the construction, above what was held then.
  StepMemory peaks() const;

 private:
  torch::Device device_;
  StepMemory held_;
  bool resident_known_ = true;
};

/// What Torch's allocator says of a CUDA device, in bytes: held by tensors, and reserved of the device.
struct DeviceBytes {
  int64_t held = 0, held_peak = 0, reserved = 0, reserved_peak = 0;
};
DeviceBytes device_bytes(torch::Device device);
/// Peaks begin anew. Gives unused memory back first, if asked to.
void reset_device_peaks(torch::Device device, bool give_back = false);

/// Bytes held by tensors on a device of either kind.
int64_t held_by_tensors(torch::Device device);

/// Meters them from here on, and leaves memory where it is.
class HeldTensors {
 public:
  explicit HeldTensors(torch::Device device);
  /// The most at a time since the construction, above what was held then.
  int64_t peak() const;

 private:
  torch::Device device_;
  int64_t before_;
};

/// The peak of a step on the CPU in a child process, whose heap no earlier step has left with gaps. Call
/// before any parallel work: a forked process cannot use its parent's threads. Throws OutOfMemory, naming the
/// model, where the step does not fit, and UserError where its options contradict each other.
StepMemory memory_apart(const std::string& name, const StepSetting& setting, Pass pass, int64_t threads);

}  // namespace attnlab
