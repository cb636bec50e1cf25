// One step of a classifier on random tokens, for benchmarks: training (forward, backward, AdamW) or
// inference.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/quantiles.h"
#include "core/record.h"
#include "models/classifier.h"
#include "train/options.h"

namespace attnlab {

/// What a step is made of. The model is built for `length` tokens, so that position tables, and attentions of
/// a fixed length, follow it.
struct StepSetting {
  ClassifierOptions model;
  int64_t vocabulary = 261;
  int64_t batch = 1;      ///< sequences
  int64_t length = 4096;  ///< tokens in each; none is padding
  torch::Device device = torch::kCPU;
  Precision precision = Precision::fp32;
};

enum class Pass {
  train,  ///< forward, backward, AdamW update
  infer,  ///< forward in evaluation mode, without a graph
};

class ModelStep {
 public:
  explicit ModelStep(const StepSetting& setting);
  /// Gradients stay allocated, so that a step's peak is its own.
  void run(Pass pass);
  /// Floating-point operations of matrix products in one step. Training: three times the forward's, and what
  /// is recomputed by choice. (The fused Transformer's backward also recomputes its scores, which is not
  /// counted.)
  double flops(Pass pass) const;
  int64_t parameters() const;

 private:
  void train();
  void infer();

  StepSetting setting_;
  Classifier model_;
  torch::Tensor ids_, labels_;
  std::vector<torch::Tensor> weights_, means_, squares_, steps_;
};

/// Seconds that `work` takes, from an idle device to an idle device, by the host's clock. On a GPU the start
/// of its first operator and the last wait are in it, some 10 and 20 µs: what is shorter than 5 ms is timed
/// many runs together, and then the host's clock says what events on the device would.
double seconds_of(torch::Device device, const std::function<void()>& work);
/// Mean of so many runs, one behind the other.
double seconds_of(torch::Device device, int64_t runs, const std::function<void()>& work);

/// Runs of `work` that keep a GPU busy for 50 ms at least, of which that is 0.06 %; on the CPU 1. Runs it.
int64_t runs_between_waits(torch::Device device, const std::function<void()>& work);

/// Seconds of one run of `work`, the better of two measurements, each of runs_between_waits().
double seconds_each(torch::Device device, const std::function<void()>& work);

/// FLOPs that a training step of these options does again because the options ask for it.
double recomputed_flops(const StepSetting& setting);

/// The device's rate of matrix products, measured beside the steps so that a busy minute falls on both.
class ProductRate {
 public:
  /// Square matrices with sides of `size`, in the type that the steps' products have.
  ProductRate(int64_t size, torch::Device device, Precision precision);
  /// FLOP/s of products, timed by seconds_each: of the best of two products by Torch's library, and on the
  /// CPU in fp32 of two by thin_linear, as a decoder makes them.
  double measure();

 private:
  torch::Tensor a_, b_, out_;
};

/// Figures <name>_first_quartile and <name>_third_quartile beside a median. `over`: what the values are of,
/// rounds that were interleaved with those of what it is compared with, or steps of one run.
void summarise_quartiles(const std::string& name, const std::string& unit, const std::vector<double>& values,
                         RecordSink& record, const std::string& over = "rounds");

/// A share of a measured rate, or NaN with a line in the log where it is above 1: then the rate was measured
/// in another state of the machine than the time, and the cell says nothing.
double share_of_rate(const std::string& what, double share);

}  // namespace attnlab
