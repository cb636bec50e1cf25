#include "io/hf_folder.h"

#include <fmt/ranges.h>

#include <set>
#include <string>

#include "core/available_memory.h"
#include "core/error.h"
#include "core/log.h"
#include "io/checkpoint.h"
#include "io/hf_shards.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// Buffers that some files carry although they follow from the configuration: everything of a rotary
/// embedding (inv_freq, cos_cached, sin_cached, …), which has no weights, and the causal mask.
bool is_derived(const std::string& name) {
  const std::string dotted = "." + name;
  for (const char* part : {".rotary_emb.", ".rope.freqs"})
    if (dotted.find(part) != std::string::npos) return true;
  for (const char* end : {".causal_mask", ".masked_bias"})
    if (dotted.ends_with(end)) return true;
  return false;
}

constexpr const char* head_name = "lm_head.weight";
constexpr const char* table_name = "model.embed_tokens.weight";

/// A tied model reads its logits with the table of embeddings. A file that holds another head beside it was
/// made by somebody who meant that one, or by a mistake: either way it is said which one is used.
void tell_unused_head(const HfShards& shards, const DecoderOptions& options) {
  if (!options.tied_embeddings || !shards.holds(head_name) || !shards.holds(table_name)) return;
  const torch::Tensor head = shards.file_of(head_name).tensor(head_name),
                      table = shards.file_of(table_name).tensor(table_name);
  if (head.dtype() == table.dtype() && torch::equal(head, table)) return;
  log_info(
      "{} holds a '{}' that differs from '{}': it is not used, because config.json has tie_word_embeddings: "
      "true, as in transformers; to use it, set tie_word_embeddings to false there",
      shards.file_of(head_name).path(), head_name, table_name);
}

bool is_ignored(const std::string& name, const DecoderOptions& options) {
  return is_derived(name) || (options.tied_embeddings && name == head_name);
}

/// The tensor of a weight, checked against what the model expects, as a view of its file.
torch::Tensor checked_tensor(const HfShards& shards, const std::string& name, at::IntArrayRef expected) {
  if (!shards.holds(name))
    user_error("{} holds no tensor '{}', which config.json asks for", shards.listing(), name);
  const SafetensorsFile& file = shards.file_of(name);
  torch::Tensor tensor = file.tensor(name);
  if (tensor.sizes() != expected)
    user_error("{}: '{}' has the shape {} where config.json says {}", file.path(), name, tensor.sizes(),
               expected);
  if (!tensor.is_floating_point())
    user_error("{}: '{}' is of type {}, and weights are floating-point numbers", file.path(), name,
               file.find(name)->dtype);
  return tensor;
}

/// Stops at a tensor that the model would leave unread: a bias, or a part of another architecture.
void refuse_unread(const HfShards& shards, const std::set<std::string>& read, const DecoderOptions& options) {
  for (const std::string& name : shards.names())
    if (!read.contains(name) && !is_ignored(name, options))
      user_error("{} holds '{}', which the model that config.json describes does not have",
                 shards.file_of(name).path(), name);
}

/// Whether the model is small against the memory that is there.
bool is_small(const DecoderImpl& decoder, torch::ScalarType type, double share) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : module_tensors(decoder))
    bytes += tensor.numel() * static_cast<int64_t>(c10::elementSize(type));
  return static_cast<double>(bytes) <= share * static_cast<double>(available_memory());
}

}  // namespace

HfModel load_hf_folder(const fs::path& folder, const HfLoadOptions& options) {
  HfModel model{read_hf_config(folder), nullptr};
  const HfShards shards = HfShards::open(folder);
  model.decoder = Decoder(model.config.decoder, torch::TensorOptions().device(torch::kMeta));
  const torch::ScalarType type = options.type.value_or(model.config.type);
  const bool copied =
      options.trainable || (options.device.is_cpu() && is_small(*model.decoder, type, options.copied_share));
  std::set<std::string> read;
  for (const auto& [name, tensor] : module_tensors(*model.decoder)) {
    torch::Tensor weight = checked_tensor(shards, name, tensor.sizes());
    weight = weight.to(options.device, type, /*non_blocking=*/false, /*copy=*/copied);
    model.decoder->assign(name, weight.set_requires_grad(options.trainable));
    read.insert(name);
  }
  refuse_unread(shards, read, model.config.decoder);
  tell_unused_head(shards, model.config.decoder);
  if (!options.trainable) model.decoder->eval();
  return model;
}

void save_hf_folder(const fs::path& folder, const Decoder& decoder, HfConfig config,
                    const HfSaveOptions& options) {
  config.decoder = decoder->options();
  config.type = decoder->tensors().dtype().toScalarType();
  fs::create_directories(folder);
  save_hf_shards(folder, module_tensors(*decoder), options.shard_bytes);
  write_hf_config(folder, config);
}

}  // namespace attnlab
