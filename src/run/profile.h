// `profile: {steps: A-B}`: a trace of some training steps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>

#include "run/options.h"

namespace attnlab {

/// While it lives, the steps A to B that `options` names are traced with Torch's profiler (Kineto: operators,
/// shapes, allocations, and kernels on CUDA). The trace is written after step B, or where the loop ends
/// before it.
class StepProfiler {
 public:
  StepProfiler(const ProfileOptions& options, bool cuda, std::filesystem::path trace);
  StepProfiler(const StepProfiler&) = delete;
  StepProfiler& operator=(const StepProfiler&) = delete;
  ~StepProfiler();

 private:
  void at(int64_t step);
  void start();
  void stop();

  int64_t first_ = 0, last_ = -1;
  bool cuda_;
  std::filesystem::path trace_;
  bool tracing_ = false;
};

}  // namespace attnlab
