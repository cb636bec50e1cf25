// Time and memory of a classifier at one length: a cell of an efficiency table. Training steps (forward,
// backward, AdamW) and inference are measured apart, on random tokens; no data set is needed. Run as a sweep,
// each cell has a process, and so a heap, of its own.
#pragma once

#include "tasks/speed/model_step.h"
#include "tasks/task.h"

namespace attnlab {

struct SpeedOptions final : TaskOptions {
  ClassifierOptions model;
  int64_t length = 4096;
  int64_t batch_size = 1;
  int64_t vocabulary = 261;
  Precision precision = Precision::fp32;
  std::vector<std::string> phases = {"train", "infer"};
  int64_t repetitions = 5;
  int64_t warm_up = 1;
  int64_t product_size = 0;

  void visit(Fields& f) override;
  std::vector<Table> tables() const override;
  std::vector<Headline> headlines() const override;
  double work() const override;
  int64_t memory(torch::DeviceType device) const override;
  void run(const RunContext& context, RecordSink& record) const override;

  StepSetting setting(torch::Device device) const;
};

}  // namespace attnlab
