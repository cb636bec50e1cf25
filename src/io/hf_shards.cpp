#include "io/hf_shards.h"

#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/json_text.h"
#include "io/json_file.h"
#include "io/not_a_model.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr const char* single_name = "model.safetensors";
constexpr const char* index_name = "model.safetensors.index.json";
const Metadata format{{"format", "pt"}};  // without it transformers refuses the file

/// File by tensor, as the index says.
std::map<std::string, std::string> read_index(const fs::path& path) {
  const JsonFile index(path);
  if (!index.has("weight_map")) user_error("{} lacks the key 'weight_map'", index.path());
  const JsonFile entries = index.inside("weight_map");
  std::map<std::string, std::string> map;
  for (const auto& entry : entries.map().items()) {
    const std::string shard = entries.text(entry.key());
    if (shard.empty() || fs::path(shard).filename() != shard)
      user_error("{}: '{}' is said to be in '{}', which is no name of a file beside it", index.path(),
                 entry.key(), shard);
    map[entry.key()] = shard;
  }
  return map;
}

std::string shard_name(std::size_t i, std::size_t count) {
  return fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, count);
}

std::vector<NamedTensors> split_into_shards(const NamedTensors& tensors, int64_t shard_bytes) {
  std::vector<NamedTensors> shards(1);
  int64_t held = 0;
  for (const auto& named : tensors) {
    const auto bytes = static_cast<int64_t>(named.second.nbytes());
    if (held > 0 && held + bytes > shard_bytes) {
      shards.emplace_back();
      held = 0;
    }
    shards.back().push_back(named);
    held += bytes;
  }
  return shards;
}

/// Removes what would be read in place of, or beside, the files in `written`.
void remove_others(const fs::path& folder, const std::map<std::string, bool>& written) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name == single_name || name == index_name ||
                      (name.starts_with("model-") && name.ends_with(".safetensors"));
    if (ours && !written.contains(name)) fs::remove(entry.path());
  }
}

}  // namespace

HfShards HfShards::open(const fs::path& folder) {
  HfShards all;
  if (fs::exists(folder / single_name)) {  // comes first in transformers as well
    const SafetensorsFile file = SafetensorsFile::open(folder / single_name);
    for (const SafetensorsEntry& entry : file.entries()) all.shard_of_[entry.name] = single_name;
    all.files_.emplace(single_name, file);
    all.listing_ = file.path();
    return all;
  }
  if (!fs::exists(folder / index_name)) {
    const std::string others = weights_not_read(folder);
    user_error("{} holds neither {} nor {}{}", folder.string(), single_name, index_name,
               others.empty() ? "; other formats of weights are not read" : others);
  }
  all.listing_ = (folder / index_name).string();
  all.shard_of_ = read_index(folder / index_name);
  for (const auto& [name, shard] : all.shard_of_) {
    std::error_code none;  // of a name that is no file's, of 300 characters for one
    if (!fs::exists(folder / shard, none))
      user_error("{} is missing, which {} names as the shard of '{}'", (folder / shard).string(), index_name,
                 name);
    if (!all.files_.contains(shard)) all.files_.emplace(shard, SafetensorsFile::open(folder / shard));
    if (!all.files_.at(shard).find(name))
      user_error("{} says that '{}' is in {}, and it is not", all.listing_, name, shard);
  }
  return all;
}

std::vector<std::string> HfShards::names() const {
  std::vector<std::string> names;
  for (const auto& [name, shard] : shard_of_) names.push_back(name);
  return names;
}

void save_hf_shards(const fs::path& folder, const NamedTensors& tensors, int64_t shard_bytes) {
  const std::vector<NamedTensors> shards = split_into_shards(tensors, shard_bytes);
  std::map<std::string, bool> written;
  nlohmann::ordered_json map = nlohmann::ordered_json::object();
  int64_t bytes = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const std::string name = shards.size() == 1 ? single_name : shard_name(i, shards.size());
    save_safetensors(folder / name, shards[i], format);
    written[name] = true;
    for (const auto& [tensor_name, tensor] : shards[i]) {
      map[tensor_name] = name;
      bytes += static_cast<int64_t>(tensor.nbytes());
    }
  }
  if (shards.size() > 1) {
    const nlohmann::ordered_json index{{"metadata", {{"total_size", bytes}}}, {"weight_map", map}};
    write_atomically(folder / index_name, json_text(index, 2) + "\n");
    written[index_name] = true;
  }
  remove_others(folder, written);
}

}  // namespace attnlab
