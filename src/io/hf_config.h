// The JSON files of a Hugging Face folder: config.json, generation_config.json, tokenizer_config.json, as
// transformers 4 and 5 write them.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/decoder_options.h"

namespace attnlab {

/// What a folder's JSON files say about the model in it.
struct HfConfig {
  DecoderOptions decoder;                  ///< nothing left at 0
  torch::ScalarType type = torch::kFloat;  ///< of the weights as they were saved; fp32 where nothing is said
  std::optional<int64_t> bos_id;
  std::vector<int64_t> eos_ids;  ///< any of them ends a text; generation_config.json's where it names some
  bool add_bos = true;    ///< whether texts begin with BOS by default (tokenizer_config.json's add_bos_token)
  std::string stored_as;  ///< what the weights were before scripts/convert_gguf: "Q4_1"; "": what they are
  std::string chat_template;  ///< Jinja, of tokenizer_config.json or chat_template.jinja; "": none
};

/// Whether the folder holds a config.json, as models do and runs do not.
bool is_hf_folder(const std::filesystem::path& folder);

/// Reads and checks. What is absent has the default of transformers' LlamaConfig or MistralConfig, except for
/// sizes, which must be there. Throws UserError with one sentence that names the file and the key: missing,
/// of another kind, out of range, contradicting another, or asking for something that is not implemented (an
/// unknown model_type or rope scaling, a window on some layers, another activation, quantisation).
HfConfig read_hf_config(const std::filesystem::path& folder);

/// Writes config.json, generation_config.json and tokenizer_config.json so that transformers builds the same
/// model; it knows no Luna, and refuses the model_type attnlab_luna. Creates the folder. Throws RunError when
/// the disk refuses.
void write_hf_config(const std::filesystem::path& folder, const HfConfig& config);

}  // namespace attnlab
