// One update: micro-batches, backward passes, clipping, optimiser.
#pragma once

#include "train/optimizer.h"
#include "train/ranks.h"
#include "train/train.h"

namespace attnlab {

/// Where an update stands in the run.
struct StepPlace {
  int64_t update = 0;             ///< its number, from 1
  int64_t first_micro_batch = 0;  ///< the data position
  double learning_rate = 0;
  uint64_t seed = 0;  ///< the run's
};

struct StepResult {
  double loss = 0;           ///< mean over its micro-batches by their weights, nats
  double gradient_norm = 0;  ///< before clipping: of all gradients together, or the largest of each
  int64_t examples = 0;      ///< of all ranks, as the tokens
  int64_t tokens = 0;
  double data_seconds = 0;  ///< spent by this rank's task on building micro-batches
};

/// One update, the same on all ranks; each computes every size-th of its micro-batches. Throws Diverged,
/// before any parameter changes, where the loss or a gradient is not finite.
StepResult do_update(Trainee& trainee, const TrainOptions& options, const NamedTensors& parameters,
                     Optimizer& optimizer, torch::Device device, const StepPlace& place, Ranks& ranks);

}  // namespace attnlab
