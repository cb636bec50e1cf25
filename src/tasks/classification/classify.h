// Sequence classification: trains a classifier, chooses the best update on examples held out of training, and
// evaluates on the publisher's test half. Beside every result stand two floors: the majority class, and a
// logistic regression on symbol counts.
#pragma once

#include "data/batches.h"
#include "models/classifier.h"
#include "tasks/task.h"
#include "train/options.h"

namespace attnlab {

struct EvaluationOptions {
  int64_t batch_size = 32;
  bool byte_count_floor = true;
  bool test_curve = false;
  Precision precision = Precision::fp32;
  std::vector<std::string> shuffles;  ///< names of Shuffle

  void visit(Fields& f);
};

struct ClassifyOptions final : TaskOptions {
  Choice<SequenceDataOptions> data;
  EncodingOptions encoding;
  BatchingOptions batching;
  ClassifierOptions model;
  TrainOptions train;
  bool trains = true;  ///< false: `train: none`
  EvaluationOptions evaluation;

  void visit(Fields& f) override;
  std::vector<Table> tables() const override;
  std::vector<Headline> headlines() const override;
  bool only_evaluates() const override { return !trains; }
  double work() const override;
  int64_t memory(torch::DeviceType device) const override;
  std::vector<Input> inputs(const RunContext& context) const override;
  void run(const RunContext& context, RecordSink& record) const override;
  /// One text a line in; {"label", "probability", "probabilities", "logits", "tokens", "truncated"} a line
  /// out, or {"error"} for a text that cannot be read. Uses the weights that the run was evaluated with.
  int64_t predict(const RunContext& context, std::istream& in, std::ostream& out) const override;

  TokenLayout layout() const { return {data->symbol_count()}; }
  /// A classifier with fresh weights drawn from `seed`.
  Classifier build_model(uint64_t seed, torch::Device device) const;
};

}  // namespace attnlab
