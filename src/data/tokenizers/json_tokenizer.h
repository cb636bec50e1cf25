// tokenizer.json of Hugging Face's `tokenizers`: BPE over bytes (GPT-2, SmolLM, Llama-3, Qwen, Mistral-Nemo)
// and over characters with byte fallback (Llama-2, Mistral).
#pragma once

#include <filesystem>
#include <memory>

#include "data/tokenizers/implementation.h"

namespace attnlab {

/// Throws UserError as read_json_spec() does. What the file does not hold, the names of BOS and EOS, comes
/// from a tokenizer_config.json beside it, if there is one.
std::unique_ptr<const TokenizerImplementation> open_json_tokenizer(const std::filesystem::path& path);

/// Throws UserError, one sentence naming both files, unless the two mean the same pieces by the same ids.
void check_same_vocabulary(const TokenizerImplementation& json, const std::string& json_file,
                           const TokenizerImplementation& model, const std::string& model_file);

}  // namespace attnlab
