// Time and memory of causal Luna by itself, forward and backward: its forms beside each other and beside
// fused causal softmax attention, round by round in one process. Random numbers; no data set is needed.
#pragma once

#include <vector>

#include "tasks/task.h"

namespace attnlab {

struct CausalSpeedOptions final : TaskOptions {
  std::vector<std::string> forms = {"scan", "chunks", "softmax"};
  int64_t length = 4096;
  int64_t projection_length = 16;
  int64_t batch_size = 1;
  int64_t heads = 8;
  int64_t head_dim = 64;
  std::vector<int64_t> thread_counts = {1};
  int64_t repetitions = 7;
  int64_t warm_up = 1;
  int64_t product_size = 2048;

  void visit(Fields& f) override;
  std::vector<Table> tables() const override;
  std::vector<Headline> headlines() const override;
  double work() const override;
  int64_t memory(torch::DeviceType device) const override;
  void run(const RunContext& context, RecordSink& record) const override;

  /// Products that the scan does forward and backward (kernels/simd/luna.inc), multiply and add apart.
  double scan_flops() const;
  /// Bytes of operands that it reads and of results that it writes, each as often as it passes by.
  double scan_bytes() const;

 private:
  void measure(const RunContext& context, RecordSink& record) const;
};

}  // namespace attnlab
