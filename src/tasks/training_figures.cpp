#include "tasks/training_figures.h"

#include "core/memory.h"

namespace attnlab {
namespace {

using Better = Summary::Better;

}  // namespace

Headline training_seconds() {
  return {"training_seconds", "s", "time of training over all sessions of the run, validation included",
          Better::lower};
}

Headline trained_tokens_per_second() {
  return {"tokens_per_second", "token/s", "tokens trained on a second, padding not counted", Better::higher};
}

Headline trained_numbers() { return {"parameters", "1", "trained numbers", Better::neither}; }

void summarise_training(const TrainOutcome& outcome, torch::Device device, RecordSink& record) {
  const auto write = [&](const Headline& figure, double value) {
    record.summarise(summary_of(figure, value, 1));
  };
  const auto bytes = [&](const char* name, int64_t value, const char* meaning) {
    write({name, "byte", meaning, Better::lower}, static_cast<double>(value));
  };
  write({"updates", "1", "updates done"}, static_cast<double>(outcome.updates));
  write({"best_update", "1", "update with the best validation"}, static_cast<double>(outcome.best_update));
  write(training_seconds(), outcome.seconds);
  write(trained_tokens_per_second(), outcome.tokens_per_second);
  bytes("resident_peak", resident_bytes_peak(), "most memory resident in the process");
  bytes("tensor_peak", tensor_bytes_peak(), "most memory held by CPU tensors");
  if (device.is_cuda())
    bytes("device_peak", cuda_bytes_peak(device.index()), "most memory held by tensors on the GPU");
}

}  // namespace attnlab
