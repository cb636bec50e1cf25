#include "train/options.h"

#include <algorithm>
#include <cmath>

namespace attnlab {

void AdamOptions::visit(Fields& f) {
  f("beta1", beta1, Range{0, 0.999999}, "decay of the mean of the gradient");
  f("beta2", beta2, Range{0, 0.999999}, "decay of the mean of the squared gradient");
  f("eps", eps, Range{0, 1}, "added to the root of the mean squared gradient");
  f("weight_decay", weight_decay, Range{0, 10}, "weight decay: L2 in adam, decoupled in adamw");
  f("decay_vectors", decay_vectors, "decay biases and normalisation weights as well (fairseq and Luna do)");
}

void ApolloOptions::visit(Fields& f) {
  f("beta", beta, Range{0, 0.999999}, "decay of the mean of the gradient");
  f("eps", eps, Range{1e-12, 1},
    "with `rebound` beneath it, added to the 4-norm of the last step's direction");
  f("rebound", rebound, Range{1e-12, 1e3}, "least magnitude of the diagonal that the gradient is divided by");
  f("weight_decay", weight_decay, Range{0, 10}, "weight decay, as L2");
}

void TrainOptions::visit(Fields& f) {
  f("updates", updates, Range{1, 1e9}, "optimiser updates");
  f("epochs", epochs, Range{0, 1e6}, "passes over the training examples; above 0 it replaces `updates`");
  f("learning_rate", learning_rate, Range{0, 1e3}, "peak learning rate; the schedule scales it");
  f("optimizer", optimizer, "update rule");
  f("schedule", schedule, "learning rate over the updates");
  f("accumulate", accumulate, Range{1, 65536},
    "micro-batches whose gradients are averaged into one update, by how much each holds: examples, target "
    "tokens; of a mixture of tasks each alike");
  f("clip_norm", clip_norm, Range{0, 1e9}, "largest L2 norm of the gradient; 0: no clipping");
  f("clip", clip, {{"total", Clip::total}, {"each", Clip::each}},
    "what has that norm: all gradients together, or each parameter's by itself (Apollo's authors)");
  f("precision", precision, {{"fp32", Precision::fp32}, {"bf16", Precision::bf16}},
    "bf16: matrix products in bfloat16 by autocast, parameters and updates in fp32");
  f("validate_interval", validate_interval, Range{0, 1e9}, "updates between validations; 0: none");
  f("patience", patience, Range{0, 1e6}, "stop after this many validations without a better one; 0: never");
  f("evaluate_with", evaluate_with,
    {{"best", EvaluateWith::best}, {"last", EvaluateWith::last}, {"average", EvaluateWith::average}},
    "weights to evaluate: the best validated ones, the last, or the mean of several");
  f("average_newest", average_newest, Range{1, 1000},
    "evaluate_with average: how many snapshots, the newest");
  f("average_interval", average_interval, Range{0, 1e9},
    "evaluate_with average: updates between snapshots; 0: one at each validation");
  f("average_epochs", average_epochs, Range{0, 1e6},
    "the same in passes over the training examples, to the nearest update; above 0 it replaces "
    "`average_interval`");
  f("log_interval", log_interval, Range{1, 1e9}, no_effect("updates between rows of /train"));
  f("save", save, no_effect("write checkpoints; without them a run cannot be resumed"));
  f("checkpoint_interval", checkpoint_interval, Range{0, 1e9},
    no_effect("updates between checkpoints; 0: by time alone"));
  f("checkpoint_seconds", checkpoint_seconds, Range{0, 1e6},
    no_effect("seconds between checkpoints; 0: by updates alone"));
  f.require(patience == 0 || validate_interval > 0, "patience",
            "patience counts validations, and validate_interval is 0");
  f.require(evaluate_with != EvaluateWith::average || average_interval > 0 || average_epochs > 0 ||
                validate_interval > 0,
            "average_interval", "snapshots are taken at validations, and validate_interval is 0");
}

int64_t TrainOptions::planned_updates(int64_t micro_batches_per_epoch) const {
  if (epochs <= 0) return updates;
  const double micro_batches = epochs * static_cast<double>(micro_batches_per_epoch);
  // 1e-9: an epoch of 3 × 0.1 is no reason for one update more.
  const double exact = micro_batches / static_cast<double>(accumulate);
  return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(exact - 1e-9)));
}

int64_t TrainOptions::snapshot_interval(int64_t micro_batches_per_epoch) const {
  if (average_epochs <= 0) return average_interval;
  const double micro_batches = average_epochs * static_cast<double>(micro_batches_per_epoch);
  return std::max<int64_t>(1, std::llround(micro_batches / static_cast<double>(accumulate)));
}

}  // namespace attnlab
