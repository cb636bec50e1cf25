// The weights that validated best.
#pragma once

#include <filesystem>

#include "io/safetensors.h"
#include "train/state.h"

namespace attnlab {

/// In checkpoint/best.safetensors, or in memory where a run saves nothing. New ones lie beside the old as
/// best.next.safetensors until a state is saved that counts them: whatever state a session resumes from, its
/// best are there.
class BestWeights {
 public:
  /// `about` is said in the file, and `metric`.
  BestWeights(const std::filesystem::path& run_folder, bool on_disk, Metadata about);
  void keep(const torch::nn::Module& model, const TrainState& state, const std::string& metric);
  /// `saved` is the state that is on the disk: new weights take the old ones' place if it counts them, and
  /// are removed if not.
  void settle(const TrainState& saved) const;
  /// Puts them into the model. Throws RunError where the file is of another update than the state says.
  void take(torch::nn::Module& model, const TrainState& state) const;

 private:
  const std::filesystem::path file_, next_;
  const bool on_disk_;
  const Metadata about_;
  NamedTensors in_memory_;
};

}  // namespace attnlab
