// Speed of scoring given text layer by layer (TOVA's perplexity, where the released code goes token by
// token): chunks of random tokens under a bounded cache, and the same chunks under a full one, round by round
// in one process.
#pragma once

#include <vector>

#include "cache/cache_options.h"
#include "tasks/speed/timed_decoder.h"
#include "tasks/task.h"

namespace attnlab {

struct ScoreSpeedOptions final : TaskOptions {
  TimedDecoder decoder;
  CacheOptions cache;
  int64_t length = 4096;
  int64_t batch_size = 1;
  int64_t slice = 0;
  int64_t repetitions = 5;
  int64_t warm_up = 1;
  std::vector<int64_t> thread_counts = {0};
  int64_t product_size = 2048;

  void visit(Fields& f) override;
  std::vector<Table> tables() const override;
  std::vector<Headline> headlines() const override;
  double work() const override;
  int64_t memory(torch::DeviceType device) const override;
  std::vector<Input> inputs(const RunContext& context) const override;
  void run(const RunContext& context, RecordSink& record) const override;
};

/// Floating-point operations of the matrix products that score one text of `length` tokens: projections,
/// feed-forward, logits, and attention to states that are live (each layer keeps so many; 0: all).
double scoring_flops(const DecoderOptions& sizes, const std::vector<int64_t>& kept, int64_t length);

}  // namespace attnlab
