// Saving everything that training continues from, and taking it up again.
#pragma once

#include <filesystem>

#include "io/safetensors.h"
#include "train/optimizer.h"
#include "train/state.h"

namespace attnlab {

/// What a checkpoint is made of. Torch's random generators are saved with it.
struct Resumable {
  torch::nn::Module& model;
  Optimizer& optimizer;
  torch::Device device;
};

/// Writes checkpoint/last.safetensors of the folder; `about` is said in it.
void save_last(const std::filesystem::path& folder, const Resumable& live, const TrainState& state,
               Metadata about);

/// Restores model, optimiser and generators from checkpoint/last.safetensors and returns the numbers. Throws
/// UserError where the file is cut short, of another version, model or seed.
TrainState resume_last(const std::filesystem::path& folder, const Resumable& live, uint64_t seed);

}  // namespace attnlab
