// Speed and memory of decoding at a held depth (TOVA §5.3 and its throughput table): a model has read a text,
// and goes on token by token, a batch of texts side by side, as many as asked for or as memory holds. What
// comes next is drawn at random, as llama-bench does: choosing a token is not part of what is timed, the
// logits are.
#pragma once

#include <vector>

#include "cache/cache_options.h"
#include "tasks/speed/timed_decoder.h"
#include "tasks/task.h"

namespace attnlab {

struct DecodeSpeedOptions final : TaskOptions {
  TimedDecoder decoder;
  CacheOptions cache;
  int64_t batch_size = 1;
  double memory_budget = 0;  ///< GiB
  int64_t context = 4096;
  int64_t tokens = 16;
  int64_t warm_up = 4;
  int64_t interval = 1;
  std::vector<int64_t> thread_counts = {0};
  int64_t read_bytes = 1 << 29;

  void visit(Fields& f) override;
  std::vector<Table> tables() const override;
  std::vector<Headline> headlines() const override;
  double work() const override;
  int64_t memory(torch::DeviceType device) const override;
  std::vector<Input> inputs(const RunContext& context) const override;
  void run(const RunContext& context, RecordSink& record) const override;

  int64_t budget_bytes() const;
  /// Steps of each text after what is read at once.
  int64_t steps() const;

 private:
  /// Of a number in the caches, where the model computes with numbers of so many bytes.
  int64_t cache_number_bytes(int64_t computed) const;
  /// Of one text's caches, and how many texts there will be, roughly, where weights are random.
  int64_t text_bytes(torch::DeviceType device) const;
  int64_t expected_batch(torch::DeviceType device) const;
};

}  // namespace attnlab
