// The numbers that training continues from; tensors are kept beside them (resume.h).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "train/train.h"

namespace attnlab {

/// Sums since the last row of /train.
struct Interval {
  int64_t updates = 0;
  int64_t tokens = 0;
  double loss = 0;
  double gradient_norm = 0;
  double seconds = 0;
};

/// Where the time went, over all sessions of the run.
struct Stopwatches {
  double steps = 0;    ///< micro-batches, passes, updates, logging
  double harness = 0;  ///< the part of `steps` that is data, logging and the record
  double validation = 0;
  double checkpoints = 0;
  double total() const { return steps + validation + checkpoints; }
};

struct TrainState {
  uint64_t seed = 0;
  int64_t update = 0;       ///< updates done
  int64_t micro_batch = 0;  ///< micro-batches done: the data position
  int64_t examples = 0;
  int64_t tokens = 0;
  Interval interval;
  Stopwatches seconds;

  int64_t validated_update = 0;  ///< update of the last validation
  int64_t best_update = 0;       ///< 0: no validation yet
  Validation best;
  int64_t validations_without_better = 0;

  std::vector<int64_t> snapshots;  ///< updates of those that an average is made of, oldest first

  std::map<std::string, int64_t> rows;  ///< rows of each table of the record when this was saved
};

/// As JSON text; real numbers come back to the same bits.
std::string to_text(const TrainState& state);
/// Throws UserError with a sentence that begins with `file`.
TrainState state_from_text(const std::string& text, const std::string& file);

}  // namespace attnlab
