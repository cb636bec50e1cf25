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

/// The peak of a step on the CPU in a child process, whose heap no earlier step has left with gaps. Call
/// before any parallel work: a forked process cannot use its parent's threads. Throws OutOfMemory, naming the
/// model, where the step does not fit, and UserError where its options contradict each other.
StepMemory memory_apart(const std::string& name, const StepSetting& setting, Pass pass, int64_t threads);

}  // namespace attnlab
