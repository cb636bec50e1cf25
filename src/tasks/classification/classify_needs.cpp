// What a classification run will need, estimated for batches of full length.
#include <algorithm>

#include "tasks/classification/classify.h"
#include "tasks/speed/step_estimate.h"

namespace attnlab {
namespace {

StepEstimate estimate_of(const ClassifyOptions& o, int64_t batch, torch::DeviceType device) {
  return estimate_step({o.model, o.layout().vocabulary(), batch, o.encoding.max_length, torch::Device(device),
                        o.train.precision});
}

/// Updates, or where epochs are asked for and the data is not open yet, those of 25,000 examples: runs of one
/// sweep mostly share their data, so that their order comes out right.
double assumed_updates(const ClassifyOptions& o) {
  if (o.train.epochs <= 0) return static_cast<double>(o.train.updates);
  constexpr double examples = 25000;
  return o.train.epochs * examples / static_cast<double>(o.batching.batch_size * o.train.accumulate);
}

}  // namespace

double ClassifyOptions::work() const {
  if (!trains) return 0;
  const StepEstimate one = estimate_of(*this, batching.batch_size, torch::kCPU);
  return one.train_flops * static_cast<double>(train.accumulate) * assumed_updates(*this);
}

int64_t ClassifyOptions::memory(torch::DeviceType device) const {
  const StepEstimate training = estimate_of(*this, batching.batch_size, device);
  const StepEstimate evaluating = estimate_of(*this, evaluation.batch_size, device);
  const double step = std::max(trains ? training.train_bytes : 0.0, evaluating.infer_bytes);
  return process_bytes(training, step, device);
}

}  // namespace attnlab
