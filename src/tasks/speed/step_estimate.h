// What a step of a classifier will take, from its options alone: for the order of a sweep's runs, and to see
// beforehand that one cannot fit. One attention is built and forgotten; nothing is computed.
#pragma once

#include "tasks/speed/model_step.h"

namespace attnlab {

struct StepEstimate {
  double infer_flops = 0, train_flops = 0;  ///< as ModelStep gives them
  double parameters = 0;
  /// Peaks of tensors above parameters, gradients and optimiser state, bytes. Within a third for the textbook
  /// Transformer (see the tests), and rather too high for models whose memory is linear in length.
  double infer_bytes = 0, train_bytes = 0;
};

/// All zero where the options contradict each other: building the model will say so.
StepEstimate estimate_step(const StepSetting& setting);

/// Bytes that a process needs for a model with this estimate: on CUDA of the device, else resident.
/// step_bytes: infer_bytes or train_bytes.
int64_t process_bytes(const StepEstimate& estimate, double step_bytes, torch::DeviceType device);

}  // namespace attnlab
