#include "train/best_weights.h"

#include "core/error.h"
#include "io/checkpoint.h"

namespace attnlab {
namespace {

constexpr const char* update_key = "update";

std::string update_of(const std::filesystem::path& file) {
  Metadata said = SafetensorsFile::open(file).metadata();
  return said[update_key];
}

}  // namespace

BestWeights::BestWeights(const std::filesystem::path& run_folder, bool on_disk, Metadata about)
    : file_(best_checkpoint(run_folder)),
      next_(file_.parent_path() / "best.next.safetensors"),
      on_disk_(on_disk),
      about_(std::move(about)) {}

void BestWeights::keep(const torch::nn::Module& model, const TrainState& state, const std::string& metric) {
  if (!on_disk_) {
    in_memory_ = copies_of(model);
    return;
  }
  Metadata said{{update_key, std::to_string(state.update)},
                {"metric", metric},
                {"value", fmt::format("{}", state.best.value)},
                {"seed", std::to_string(state.seed)}};
  said.insert(about_.begin(), about_.end());
  save_weights(next_, model, std::move(said));
}

void BestWeights::settle(const TrainState& saved) const {
  if (!on_disk_ || !std::filesystem::exists(next_)) return;
  if (update_of(next_) == std::to_string(saved.best_update))
    std::filesystem::rename(next_, file_);
  else
    std::filesystem::remove(next_);
}

void BestWeights::take(torch::nn::Module& model, const TrainState& state) const {
  if (!on_disk_) return put_copies(in_memory_, model);
  const std::string update = update_of(file_);
  if (update != std::to_string(state.best_update))
    run_error("{} is of update {}, but the best of this run is update {}: start over with --fresh",
              file_.string(), update, state.best_update);
  load_weights(model, file_);
}

}  // namespace attnlab
