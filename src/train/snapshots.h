// Weights of a run's newest updates, whose mean it may be evaluated with.
#pragma once

#include <filesystem>
#include <map>
#include <vector>

#include "io/safetensors.h"
#include "train/state.h"

namespace attnlab {

/// One file of weights an update in checkpoint/snapshots, or tensors in memory where a run saves nothing.
/// Which updates belong to the run, its state says (TrainState::snapshots): files of others were left by a
/// session that was killed.
class Snapshots {
 public:
  /// `about` is said in the file of their mean.
  Snapshots(const std::filesystem::path& run_folder, bool on_disk, Metadata about);

  void take(const torch::nn::Module& model, int64_t update);
  /// Forgets all but those of these updates.
  void keep_only(const std::vector<int64_t>& updates);

  /// Puts the plain mean over these updates into the model: real numbers in fp32 or wider, whole ones rounded
  /// down; a tensor shared under several names is the same mean under each. On disk,
  /// checkpoint/average.safetensors then takes the place of the snapshots, and is read where it is already
  /// there. Throws UserError where one is missing or of another model.
  void average(torch::nn::Module& model, const std::vector<int64_t>& updates);

 private:
  std::filesystem::path file_of(int64_t update) const;
  void load(torch::nn::Module& model, int64_t update) const;
  void put_mean(torch::nn::Module& model, const std::vector<int64_t>& updates) const;

  const std::filesystem::path run_folder_, folder_;
  const bool on_disk_;
  const Metadata about_;
  std::map<int64_t, NamedTensors> in_memory_;
};

}  // namespace attnlab
