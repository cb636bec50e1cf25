#include "io/hf_folder.h"

#include <fmt/ranges.h>

#include <set>
#include <string>

#include "core/error.h"
#include "io/checkpoint.h"
#include "io/hf_shards.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// Early files carry RoPE's frequencies as buffers, and tied models may hold their table twice.
bool is_ignored(const std::string& name, const DecoderOptions& options) {
  return name.ends_with(".rotary_emb.inv_freq") || (options.tied_embeddings && name == "lm_head.weight");
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

}  // namespace

HfModel load_hf_folder(const fs::path& folder, const HfLoadOptions& options) {
  HfModel model{read_hf_config(folder), nullptr};
  const HfShards shards = HfShards::open(folder);
  model.decoder = Decoder(model.config.decoder, torch::TensorOptions().device(torch::kMeta));
  std::set<std::string> read;
  for (const auto& [name, tensor] : module_tensors(*model.decoder)) {
    torch::Tensor weight = checked_tensor(shards, name, tensor.sizes());
    weight = weight.to(options.device, options.type.value_or(model.config.type), /*non_blocking=*/false,
                       /*copy=*/options.trainable);
    model.decoder->assign(name, weight.set_requires_grad(options.trainable));
    read.insert(name);
  }
  refuse_unread(shards, read, model.config.decoder);
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
