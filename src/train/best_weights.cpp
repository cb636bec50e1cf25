#include "train/best_weights.h"

#include "core/error.h"
#include "io/checkpoint.h"

namespace attnlab {

BestWeights::BestWeights(const std::filesystem::path& run_folder, bool on_disk, Metadata about)
    : file_(best_checkpoint(run_folder)), on_disk_(on_disk), about_(std::move(about)) {}

void BestWeights::keep(const torch::nn::Module& model, const TrainState& state, const std::string& metric) {
  if (!on_disk_) {
    in_memory_ = copies_of(model);
    return;
  }
  Metadata said{{"update", std::to_string(state.update)},
                {"metric", metric},
                {"value", fmt::format("{}", state.best.value)},
                {"seed", std::to_string(state.seed)}};
  said.insert(about_.begin(), about_.end());
  save_weights(file_, model, std::move(said));
}

void BestWeights::take(torch::nn::Module& model, const TrainState& state) const {
  if (!on_disk_) return put_copies(in_memory_, model);
  // A killed session may have left one of a later update, which this one reached with other numbers.
  Metadata said = SafetensorsFile::open(file_).metadata();
  if (said["update"] != std::to_string(state.best_update))
    run_error(
        "{} is of update {}, but the best of this run is update {}: the numbers after resuming were not "
        "those before (another number of threads?); start over with --fresh",
        file_.string(), said["update"], state.best_update);
  load_weights(model, file_);
}

}  // namespace attnlab
