// What training tells: rows, a progress line, headline figures.
#pragma once

#include "train/state.h"

namespace attnlab {

/// Writes the row of the interval that ends here, makes the record safe, and starts a new interval.
void report_interval(RecordSink& record, const TrainState& state, double learning_rate, torch::Device device);

void report_validation(RecordSink& record, const TrainState& state, const Validation& found, bool better);

/// Rewrites the live line: done, rate, loss, time left. `session_updates` were done in `session_seconds`.
void report_progress(const TrainState& state, int64_t planned, double loss, int64_t session_updates,
                     double session_seconds);

/// Times and the harness's share, under /summary.
void report_times(RecordSink& record, const TrainState& state);

}  // namespace attnlab
