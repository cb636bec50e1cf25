#include "io/state_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "io/safetensors.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr const char* state_mark = "attnlab_state";
constexpr const char* state_version = "1";
constexpr const char* state_model = "model";
constexpr const char* ids_name = "ids";

std::string stored_name(std::size_t layer, const std::string& name) {
  return fmt::format("layers.{}.{}", layer, name);
}

std::string metadata_at(const SafetensorsFile& file, const char* key) {
  const auto found = file.metadata().find(key);
  return found == file.metadata().end() ? "" : found->second;
}

std::vector<int64_t> ids_of(const SafetensorsFile& file) {
  const torch::Tensor ids = file.tensor(ids_name);
  if (ids.scalar_type() != torch::kLong || ids.dim() != 1 || ids.numel() == 0)
    user_error("{}: '{}' is no list of token ids", file.path(), ids_name);
  const auto* first = ids.const_data_ptr<int64_t>();
  return {first, first + ids.numel()};
}

/// The sizes of a fresh state's tensor once a text of so many tokens is read: where it has 0, it is these.
std::vector<int64_t> sizes_after(const torch::Tensor& fresh, int64_t read) {
  std::vector<int64_t> sizes = fresh.sizes().vec();
  std::replace(sizes.begin(), sizes.end(), int64_t{0}, read);
  return sizes;
}

/// The tensor in place of one of a fresh state, which has its type and its sizes after `read` tokens.
torch::Tensor tensor_like(const SafetensorsFile& file, const std::string& name, const torch::Tensor& fresh,
                          int64_t read) {
  const SafetensorsEntry* entry = file.find(name);
  if (!entry) user_error("{} holds no '{}': it is the state of another kind of cache", file.path(), name);
  const torch::Tensor tensor = file.tensor(name);
  if (tensor.dtype() != fresh.dtype() || tensor.dim() != fresh.dim())
    user_error(
        "{}: '{}' is of type {}, and this run keeps another: set precision and cache.precision as they were",
        file.path(), name, entry->dtype);
  if (const auto sizes = sizes_after(fresh, read); tensor.sizes() != at::IntArrayRef(sizes))
    user_error("{}: '{}' is of sizes [{}], and of a text with {} tokens read this model keeps [{}]",
               file.path(), name, fmt::join(tensor.sizes().vec(), ", "), read, fmt::join(sizes, ", "));
  return tensor.to(fresh.device(), fresh.scalar_type(), /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace

void save_state_file(const fs::path& path, const DecoderState& states, const StoredText& text) {
  NamedTensors tensors{{ids_name, torch::tensor(text.ids, torch::kLong)}};
  for (std::size_t i = 0; i < states.size(); ++i)
    for (const auto& [name, tensor] : states[i]->to_store())
      tensors.emplace_back(stored_name(i, name), tensor);
  save_safetensors(path, tensors, {{state_mark, state_version}, {state_model, text.model}});
}

StoredText load_state_file(const fs::path& path, const std::string& model, DecoderState& states) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  if (metadata_at(file, state_mark) != state_version || !file.find(ids_name))
    user_error("{} holds no state that save_state has written", file.path());
  if (metadata_at(file, state_model) != model)
    user_error("{} is the state of another model: what one has read, another cannot go on from", file.path());
  const std::vector<int64_t> ids = ids_of(file);
  for (std::size_t i = 0; i < states.size(); ++i) {
    std::map<std::string, torch::Tensor> stored;
    for (const auto& [name, fresh] : states[i]->to_store())
      stored[name] = tensor_like(file, stored_name(i, name), fresh, static_cast<int64_t>(ids.size()) - 1);
    states[i]->restore(stored);
  }
  return {ids, model};
}

}  // namespace attnlab
