// Where the training of a language model begins, and the Hugging Face folder that it ends in.
#pragma once

#include <filesystem>
#include <string>

#include "data/tokenizer.h"
#include "io/hf_folder.h"

namespace attnlab {

/// A model of these sizes with random weights; a vocabulary of 0 is the tokenizer's.
HfModel random_model(DecoderOptions sizes, const Tokenizer& tokenizer, uint64_t seed, torch::Device device);

/// The model in a Hugging Face folder, or in that of a run that trained one, with weights in fp32 that take
/// gradients. Throws UserError where it has no place for some of the tokenizer's ids.
HfModel model_to_tune(const std::filesystem::path& start_from, const Tokenizer& tokenizer,
                      torch::Device device);

/// The model, and the tokenizer's files as they were given (`tokenizer_bytes` is the file itself); a
/// tokenizer.json that stood alone gets the names of BOS and EOS.
void save_language_model(const std::filesystem::path& folder, const HfModel& model,
                         const Tokenizer& tokenizer, const std::string& tokenizer_bytes);

}  // namespace attnlab
