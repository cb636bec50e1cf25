// What decode_speed says of a batch of texts: its rows, its figures, and the least time that a step can take.
#pragma once

#include <vector>

#include "core/record.h"
#include "models/decoder.h"

namespace attnlab {

/// Tokens between two rows of /decode.
struct DecodeInterval {
  int64_t first = 0, tokens = 0;  ///< the how-manieth timed token it begins with, and how many a text
  double seconds = 0;
  int64_t cache_bytes = 0, tensors = 0, resident = 0;  ///< held at its end
};

struct Decoded {
  std::vector<DecodeInterval> intervals;
  int64_t batch = 0, prompt_tokens = 0;
  double prompt_seconds = 0;
  double read_rate = 0, product_rate = 0;  ///< byte/s and FLOP/s of the same threads
  int64_t resident_peak = 0;               ///< pages beyond those of before the model was opened
  int64_t cache_bytes() const { return intervals.back().cache_bytes; }
};

/// What a step works on, whatever the batch.
struct StepWeights {
  int64_t bytes = 0;        ///< of all weights but the embedding table, of which it takes one row a text
  int64_t numbers = 0;      ///< the same, counted
  int64_t query_group = 1;  ///< query heads that read a key-value head
};

StepWeights step_weights(const Decoder& decoder);

/// Seconds that a step needs at least at the rates measured: the weights' products, then the caches', each
/// either reading or multiplying, whichever takes longer. `number_bytes`: of a number in the caches.
double least_step_seconds(const StepWeights& weights, const Decoded& all, int64_t number_bytes);

/// Figures of each number of threads, and of all.
std::vector<Headline> decode_headlines(const std::vector<int64_t>& thread_counts);
Table decode_table();

void write_decoded(const Decoded& all, int64_t threads, RecordSink& record);
/// `threads`: as the option names it, 0 for the run's own.
void summarise_decoded(const Decoded& all, const StepWeights& weights, int64_t number_bytes, int64_t threads,
                       RecordSink& record);
/// What is the same whatever the number of threads.
void summarise_memory(const Decoded& all, const StepWeights& weights, RecordSink& record);

}  // namespace attnlab
