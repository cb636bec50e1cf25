// The training loop: the only code that knows about updates, schedules, checkpoints and resuming. A task
// hands it a Trainee; everything else is options.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "core/record.h"
#include "io/safetensors.h"
#include "train/options.h"

namespace attnlab {

/// One micro-batch: its mean loss (with graph) and how much it held.
struct MicroBatch {
  torch::Tensor loss;
  int64_t examples = 0;
  int64_t tokens = 0;
  double data_seconds = 0;  ///< spent on building it from the data set, which the harness answers for
  /// How many terms the loss is the mean of, where micro-batches hold unequal numbers: examples, tokens. The
  /// gradient of an update is that of the mean over all of its terms, Σ weight·∇loss / Σ weight.
  double weight = 1;
};

/// A number that validation found beside the one it chooses by; NaN where it did not look.
struct ValidationFigure {
  std::string name;
  double value = 0;
};

/// What validation found; the best checkpoint is chosen by it.
struct Validation {
  double value = 0;  ///< the selection metric, e.g. accuracy as a fraction
  double standard_error = 0;
  double loss = 0;  ///< mean loss in nats
  int64_t n = 0;
  std::vector<ValidationFigure> figures =
      {};  ///< as many and in the order as the task said to training_tables()
};

/// What a task hands to the loop.
struct Trainee {
  std::shared_ptr<torch::nn::Module> model;
  /// The m-th micro-batch since the start of training: a pure function of the run's seed and m (the data
  /// position is nothing but m). Called with the model in training mode.
  std::function<MicroBatch(int64_t m)> micro_batch;
  int64_t micro_batches_per_epoch = 0;
  /// Torch's generators are seeded from (seed, m) before each micro-batch, so that its dropout depends
  /// neither on those before it nor on who computes it. Several processes can train only so.
  bool draws_by_micro_batch = false;
  /// Called with the model in evaluation mode, under no-grad.
  std::function<Validation()> validate;
  /// Said in every file of weights: what they are of no use without, such as the checksum of a vocabulary.
  Metadata about = {};
  std::string metric = "accuracy";
  bool higher_is_better = true;
};

/// Tables that training writes: /train and /eval/validation_curve, which has a column for each further figure
/// of a validation (real numbers).
std::vector<Table> training_tables(const std::vector<Column>& figures = {});

/// A figure that train() writes, for tasks whose tables show it.
Headline harness_share();

struct TrainOutcome {
  int64_t updates = 0;
  int64_t best_update = 0;
  Validation best;
  double seconds = 0;  ///< over all sessions of the run
  double tokens_per_second = 0;
  double harness_share = 0;               ///< of the time of the steps: data, logging and record together
  bool stopped_early = false;             ///< by `patience`
  std::vector<int64_t> averaged_updates;  ///< whose mean the model has now; empty: it is no average
};

/// Trains to the end, or resumes from folder/checkpoint/last.safetensors and does the rest; then loads the
/// weights that `options.evaluate_with` names into the model. Writes /train and /eval/validation_curve.
/// Throws Interrupted after saving when a stop was requested, Diverged with the step and the offending tensor
/// when loss or gradients are not finite. Where several processes train together (ranks.h) all call it with
/// the same arguments; folder and record are the first's, on the others it ends with Dismissed. The
/// checkpoint is of the run, whatever their number.
TrainOutcome train(Trainee& trainee, const TrainOptions& options, const std::filesystem::path& folder,
                   uint64_t seed, torch::Device device, RecordSink& record);

}  // namespace attnlab
