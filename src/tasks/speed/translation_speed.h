// Speed of a translator on random tokens: training steps (forward, backward, Adam) at given lengths, and beam
// search to a fixed length. No data set is needed. Run as a sweep, each cell has a process of its own.
#pragma once

#include "models/translator.h"
#include "tasks/task.h"

namespace attnlab {

struct TranslationSpeedOptions final : TaskOptions {
  TranslatorOptions model;
  int64_t vocabulary = 40624;
  int64_t source_length = 32;
  int64_t target_length = 32;
  int64_t sentences = 128;
  std::vector<std::string> phases = {"train", "decode"};
  int64_t beam = 4;
  double label_smoothing = 0.1;
  int64_t repetitions = 5;
  int64_t warm_up = 1;
  int64_t product_size = 2048;

  void visit(Fields& f) override;
  std::vector<Table> tables() const override;
  std::vector<Headline> headlines() const override;
  double work() const override;
  void run(const RunContext& context, RecordSink& record) const override;
};

}  // namespace attnlab
