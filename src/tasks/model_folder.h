// The pre-trained model that a task is asked to use: where it is, and what tells it from another.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/options.h"
#include "data/chat_template.h"
#include "data/tokenizer.h"
#include "io/hf_folder.h"

namespace attnlab {

/// Type of a model's weights and activations; saved: as in its folder.
enum class WeightType { saved, fp32, bf16 };
inline const std::vector<std::pair<std::string, WeightType>> weight_types = {
    {"saved", WeightType::saved}, {"fp32", WeightType::fp32}, {"bf16", WeightType::bf16}};

/// The type asked for; nothing where it is the saved one.
std::optional<torch::ScalarType> type_of(WeightType precision);

/// The pre-trained model that a task reads: options of several tasks.
struct PretrainedOptions {
  std::string model;
  std::string tokenizer;
  WeightType precision = WeightType::saved;

  void visit_pretrained(Fields& f);
};

/// The Hugging Face folder that `path` means: itself, or model/ in the folder of a run that trained one.
/// Throws UserError where there is none.
std::filesystem::path model_folder(const std::filesystem::path& path);

/// Where a model's tokenizer is: the file or folder named, or else the model's folder.
std::filesystem::path tokenizer_place(const std::string& named, const std::filesystem::path& folder);

/// The words of an option that names a chat format: none, for base models; folder: the one that the model's
/// folder declares; or a format's name.
OneOf chat_words();
/// A format with what the folder says of it; none: the one that it declares, if it is known.
ChatTemplate chat_of(ChatFormat wanted, const HfConfig& config, const std::filesystem::path& folder);
/// The format that such a word means. Throws UserError where the folder declares none that is known.
ChatTemplate chat_of(const std::string& word, const HfConfig& config, const std::filesystem::path& folder);

/// Ids of the strings that a cache protects. Throws UserError for one that no token stands for.
std::vector<int64_t> protected_ids(const Tokenizer& tokenizer, const std::vector<std::string>& strings);

/// SHA-256 over config.json, and over names, sizes and contents of the weights, at about 1.6 GB a second.
std::string checksum_of_model(const std::filesystem::path& folder);

}  // namespace attnlab
