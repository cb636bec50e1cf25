// Evaluation of a classifier on a split, example by example.
#pragma once

#include <filesystem>
#include <vector>

#include "metrics/paired_verdicts.h"
#include "tasks/classification/classify.h"
#include "train/train.h"

namespace attnlab {

struct ExampleResult {
  int64_t example = 0;
  int64_t tokens = 0;
  int64_t label = 0;
  int64_t predicted = 0;
  double probability = 0;  ///< of the true class
  double nll = 0;          ///< its negative logarithm, nat
};

/// Headlines: of a split, and of the test split where it has also chosen the update.
Headline accuracy_on(Split split);
Headline accuracy_selected_on_test();

/// Results of a split in the order of its examples.
struct SplitResults {
  std::vector<ExampleResult> examples;

  Validation validation() const;
  /// Appends its rows to a table of example_columns(), whose former rows are forgotten.
  void write_examples(std::string_view table, const LabelledSequences& data, RecordSink& record) const;
  /// Rows of /eval/<split>, and the accuracy under /summary.
  void write(Split split, const LabelledSequences& data, RecordSink& record) const;
};

/// One row an example.
std::vector<Column> example_columns();
/// /eval/<split>, of them.
Table example_table(Split split);

class ClassifierEvaluation {
 public:
  ClassifierEvaluation(const ClassifyOptions& options, const RunContext& context)
      : options_(options), device_(context.device), limit_(context.limit) {}
  /// Evaluates in evaluation mode; the model's mode is restored.
  SplitResults operator()(Classifier& model, const LabelledSequences& data) const;

 private:
  const ClassifyOptions& options_;
  torch::Device device_;
  int64_t limit_;
};

/// The best test accuracy seen so far. Kept in a file of its own: a run that is killed and resumed evaluates
/// the same updates again, with the same values, so the maximum is that of a run never killed.
class TestCurve {
 public:
  explicit TestCurve(const std::filesystem::path& run_folder);
  void add(const Validation& on_test);
  /// Writes nothing where nothing was added.
  void summarise(RecordSink& record) const;

 private:
  std::filesystem::path file_;
  double best_ = 0;
  int64_t n_ = 0;  ///< examples behind it; 0: none seen yet
};

}  // namespace attnlab
