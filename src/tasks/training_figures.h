// What every task that trains says of its training, under /summary.
#pragma once

#include "tasks/task.h"
#include "train/train.h"

namespace attnlab {

Headline training_seconds();
Headline trained_tokens_per_second();
/// Of a model, trained or only evaluated.
Headline trained_numbers();

/// Writes time and rate, updates done, the best one, and the peaks of memory.
void summarise_training(const TrainOutcome& outcome, torch::Device device, RecordSink& record);

}  // namespace attnlab
