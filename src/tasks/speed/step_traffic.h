// Bytes that a step of a classifier reads and writes at least, for the least time that a device's memory
// allows.
#pragma once

#include <optional>

#include "tasks/speed/model_step.h"

namespace attnlab {

struct StepTraffic {
  double infer_bytes = 0, train_bytes = 0;
};

/// Counted are, of every product of matrices as Torch runs it, its operands once and what it gives once, and
/// backward the same of its two gradients; attention that is fused as one operator which reads q, k, v and
/// writes y (backward: reads those, y and dy, and writes dq, dk, dv), otherwise with its weights in memory;
/// and of a training step what AdamW and the gradients' sums read and write. Numbers have the width of the
/// products'. Left out is what could be joined to these: norms, sums, activations, dropout, casts; so it is
/// the least. Nothing for an attention whose reads and writes are not derived here, nor for this project's
/// own operators, which never write keys and values.
std::optional<StepTraffic> step_traffic(const StepSetting& setting);

}  // namespace attnlab
