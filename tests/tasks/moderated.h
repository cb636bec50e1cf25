// A small decoder whose texts do not hang on the last digit of a logit.
#pragma once

#include <filesystem>
#include <string>

#include "io/hf_folder.h"

namespace attnlab {

/// The golden decoders have weights so large that roundings of fp32 grow to 3e-5 in a loss; with a part of
/// them logits stay within a few units, while what the model reads still moves its losses by tenths.
inline std::string moderated(const std::string& golden, const std::filesystem::path& folder) {
  const HfModel model = load_hf_folder(golden, {.trainable = true});
  const torch::NoGradGuard no_grad;
  for (auto& weight : model.decoder->parameters())
    if (weight.dim() == 2) weight.mul_(0.4);
  save_hf_folder(folder, model.decoder, model.config);
  return folder.string();
}

}  // namespace attnlab
