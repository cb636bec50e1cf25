// Options of training, free of Torch so that the configuration can be read without it.
#pragma once

#include <cstdint>
#include <memory>

#include "core/options.h"
#include "train/schedules.h"

namespace torch::nn {
class Module;
}

namespace attnlab {

class Optimizer;

/// An optimiser chosen by name.
struct OptimizerOptions : Component {
  /// The optimiser of all parameters of `model` that ask for a gradient.
  virtual std::unique_ptr<Optimizer> make(const torch::nn::Module& model) const = 0;
};

template <>
const std::vector<Entry<OptimizerOptions>>& registry<OptimizerOptions>();

/// Adam (Kingma & Ba 2015) with bias correction; weight decay as L2, added to the gradient.
struct AdamOptions : OptimizerOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;
  bool decay_vectors = true;
  std::unique_ptr<Optimizer> make(const torch::nn::Module& model) const override;
  void visit(Fields& f) override;
  virtual bool decoupled() const { return false; }
};

/// AdamW (Loshchilov & Hutter 2019): the weight decay acts on the parameters, scaled by the learning rate.
/// This is also what fairseq calls "adam".
struct AdamWOptions : AdamOptions {
  AdamWOptions() { weight_decay = 0.01; }
  bool decoupled() const override { return true; }
};

/// Apollo (Ma 2020, arXiv 2009.13586): quasi-Newton steps with a diagonal Hessian, rectified from below; as
/// released for Luna, weight decay as L2.
struct ApolloOptions : OptimizerOptions {
  double beta = 0.9;
  double eps = 1e-4;
  double rebound = 0.01;
  double weight_decay = 0.0;
  std::unique_ptr<Optimizer> make(const torch::nn::Module& model) const override;
  void visit(Fields& f) override;
};

/// Of matrix products; see autocast.h. tf32 is for what needs no gradients.
enum class Precision { fp32, tf32, bf16 };
enum class Clip { total, each };
enum class EvaluateWith { best, last, average };

/// The `train:` block of a configuration.
struct TrainOptions {
  int64_t updates = 1000;
  double epochs = 0;
  double learning_rate = 1e-3;
  Choice<OptimizerOptions> optimizer{"adamw"};
  Choice<ScheduleOptions> schedule{"constant"};
  int64_t accumulate = 1;
  double clip_norm = 0;
  Clip clip = Clip::total;
  Precision precision = Precision::fp32;
  int64_t validate_interval = 100;
  int64_t patience = 0;
  EvaluateWith evaluate_with = EvaluateWith::best;
  int64_t average_newest = 10;
  int64_t average_interval = 0;
  double average_epochs = 0;
  int64_t log_interval = 10;
  bool save = true;
  int64_t checkpoint_interval = 0;
  double checkpoint_seconds = 120;

  void visit(Fields& f);

  /// Updates to do when an epoch has this many micro-batches.
  int64_t planned_updates(int64_t micro_batches_per_epoch) const;
  /// Updates between snapshots for the average; 0: one at each validation.
  int64_t snapshot_interval(int64_t micro_batches_per_epoch) const;
};

}  // namespace attnlab
