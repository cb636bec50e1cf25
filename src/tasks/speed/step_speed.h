// Time and memory of one training step of a classifier, model beside model in one process and one run:
// forward, backward and optimiser on a batch of random tokens. No data set is needed.
#pragma once

#include "models/classifier.h"
#include "tasks/speed/model_step.h"
#include "tasks/task.h"

namespace attnlab {

/// A model of the comparison, written "textbook", "fused", "textbook+torch-dropout", "luna-16",
/// "luna-256+recompute": an attention, for Luna its projection length, and flags.
struct SpeedModel {
  std::string name;
  ClassifierOptions options;
};

struct StepSpeedOptions final : TaskOptions {
  ClassifierOptions model;
  std::vector<std::string> models = {"textbook", "fused", "luna-16", "luna-256"};
  std::vector<int64_t> lengths = {4096};
  std::vector<double> dropouts = {0.0};
  std::vector<int64_t> thread_counts = {1};
  int64_t batch_size = 1;
  int64_t vocabulary = 261;
  int64_t repetitions = 5;
  int64_t warm_up = 1;
  int64_t product_size = 2048;

  void visit(Fields& f) override;
  std::vector<Table> tables() const override;
  std::vector<Headline> headlines() const override;
  void run(const RunContext& context, RecordSink& record) const override;

  /// The options of a model of the comparison at this dropout. Throws UserError for a name that is none.
  SpeedModel named(const std::string& name, double dropout) const;
  /// The step of one of these models.
  StepSetting step_of(const SpeedModel& model, int64_t length) const;
};

}  // namespace attnlab
