// One training step of a classifier on random tokens, for benchmarks.
#pragma once

#include "models/classifier.h"
#include "tasks/step_speed.h"

namespace attnlab {

class TrainingStep {
 public:
  TrainingStep(const SpeedModel& model, int64_t vocabulary, int64_t batch, int64_t length);
  /// Forward, backward, AdamW update; gradients kept allocated, so that a step's peak is its own.
  void run();
  double seconds();  ///< of one run()
  /// Floating-point operations of matrix products in one step: three times the forward's, and what is
  /// recomputed by choice. (The fused Transformer's backward also recomputes its scores, which is not
  /// counted.)
  double flops() const;
  int64_t parameters() const;

 private:
  Classifier model_;
  int64_t batch_, length_;
  double recomputed_ = 0;  ///< FLOPs of a forward done again in the backward, batch 1
  torch::Tensor ids_, labels_;
  std::vector<torch::Tensor> weights_, means_, squares_, steps_;
};

/// Peak of a step above parameters, gradients and optimiser state, in bytes.
struct StepMemory {
  int64_t allocator = 0;  ///< bytes held by tensors
  int64_t resident = 0;   ///< pages of the process; −1 where the kernel does not let the peak be reset
};

/// Measures in a child process, which no earlier model has filled with kept pages. Call before any parallel
/// work.
StepMemory step_memory(const SpeedModel& model, int64_t vocabulary, int64_t batch, int64_t length,
                       int64_t threads);

}  // namespace attnlab
