#include "io/checkpoint.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "core/error.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kind_key = "attnlab_kind";
constexpr const char* version_key = "checkpoint_version";
constexpr const char* model_prefix = "model.";
constexpr std::size_t differences_shown = 3;

std::string value_of(const SafetensorsFile& file, const char* key) {
  const auto found = file.metadata().find(key);
  return found == file.metadata().end() ? "" : found->second;
}

void check_version(const SafetensorsFile& file) {
  const std::string version = value_of(file, version_key);
  if (!version.empty() && version != checkpoint_version)
    user_error("{} is a checkpoint of version {}, and this program reads version {}", file.path(), version,
               checkpoint_version);
}

std::string shape_text(c10::IntArrayRef shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

/// A whole number type and a real one cannot stand for each other; two real ones can.
bool same_kind(const torch::Tensor& stored, const torch::Tensor& live) {
  return stored.scalar_type() == live.scalar_type() ||
         (stored.is_floating_point() && live.is_floating_point());
}

std::vector<std::string> differences(const SafetensorsFile& file, const NamedTensors& live,
                                     const std::string& file_prefix) {
  std::vector<std::string> found;
  std::set<std::string> known;
  for (const auto& [name, tensor] : live) {
    known.insert(file_prefix + name);
    const SafetensorsEntry* entry = file.find(file_prefix + name);
    if (!entry)
      found.push_back(fmt::format("'{}' is missing", name));
    else if (tensor.sizes() != c10::IntArrayRef(entry->shape))
      found.push_back(fmt::format("'{}' is {} there and {} here", name, shape_text(entry->shape),
                                  shape_text(tensor.sizes())));
    else if (!same_kind(file.tensor(file_prefix + name), tensor))
      found.push_back(fmt::format("'{}' is of type {} there and {} here", name, entry->dtype,
                                  c10::toString(tensor.scalar_type())));
  }
  for (const SafetensorsEntry& entry : file.entries())
    if (entry.name.starts_with(file_prefix) && !known.contains(entry.name))
      found.push_back(fmt::format("'{}' is unknown here", entry.name.substr(file_prefix.size())));
  return found;
}

}  // namespace

fs::path last_checkpoint(const fs::path& run_folder) {
  return run_folder / "checkpoint" / "last.safetensors";
}
fs::path best_checkpoint(const fs::path& run_folder) {
  return run_folder / "checkpoint" / "best.safetensors";
}
fs::path average_checkpoint(const fs::path& run_folder) {
  return run_folder / "checkpoint" / "average.safetensors";
}

NamedTensors module_tensors(const torch::nn::Module& module, const std::string& prefix) {
  NamedTensors tensors;
  for (const auto& item : module.named_parameters())
    if (item.value().defined()) tensors.emplace_back(prefix + item.key(), item.value());
  for (const auto& item : module.named_buffers())
    if (item.value().defined()) tensors.emplace_back(prefix + item.key(), item.value());
  return tensors;
}

NamedTensors copies_of(const torch::nn::Module& module) {
  NamedTensors copies;
  for (const auto& [name, tensor] : module_tensors(module))
    copies.emplace_back(name, tensor.detach().clone());
  return copies;
}

void put_copies(const NamedTensors& copies, torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  const NamedTensors live = module_tensors(module);
  for (std::size_t i = 0; i < live.size(); ++i) torch::Tensor(live[i].second).copy_(copies[i].second);
}

void save_checkpoint(const fs::path& path, const NamedTensors& tensors, Metadata metadata) {
  metadata[kind_key] = "checkpoint";
  metadata[version_key] = checkpoint_version;
  save_safetensors(path, tensors, metadata);
}

SafetensorsFile open_checkpoint(const fs::path& path) {
  SafetensorsFile file = SafetensorsFile::open(path);
  if (value_of(file, kind_key) != "checkpoint")
    user_error("{} holds weights alone, and training can only continue from a whole checkpoint", file.path());
  check_version(file);
  return file;
}

void restore_tensors(const SafetensorsFile& file, const NamedTensors& live, const std::string& file_prefix) {
  const std::vector<std::string> found = differences(file, live, file_prefix);
  if (!found.empty()) {
    const std::size_t shown = std::min(found.size(), differences_shown);
    const std::string more = found.size() > shown ? fmt::format(", and {} more", found.size() - shown) : "";
    user_error("{} is of another model: {}{}", file.path(),
               fmt::join(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(shown), ", "), more);
  }
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : live) torch::Tensor(tensor).copy_(file.tensor(file_prefix + name));
}

void save_weights(const fs::path& path, const torch::nn::Module& module, Metadata metadata) {
  metadata[kind_key] = "weights";
  metadata[version_key] = checkpoint_version;
  metadata["format"] = "pt";  // what Hugging Face's loaders look for
  save_safetensors(path, module_tensors(module), metadata);
}

fs::path weights_file(const fs::path& run_or_file) {
  if (!fs::exists(run_or_file))
    user_error("there is neither a run's folder nor a file of weights at {}", run_or_file.string());
  if (!fs::is_directory(run_or_file)) return run_or_file;
  for (const fs::path& path :
       {average_checkpoint(run_or_file), best_checkpoint(run_or_file), last_checkpoint(run_or_file)})
    if (fs::exists(path)) return path;
  user_error("{} holds no checkpoint to take weights from", run_or_file.string());
}

Metadata said_of_weights(const fs::path& run_or_file) {
  return SafetensorsFile::open(weights_file(run_or_file)).metadata();
}

fs::path run_of_weights(const fs::path& run_or_file) {
  return fs::is_directory(run_or_file) ? run_or_file : run_or_file.parent_path().parent_path();
}

void load_weights(torch::nn::Module& module, const fs::path& run_or_file) {
  const SafetensorsFile file = SafetensorsFile::open(weights_file(run_or_file));
  check_version(file);
  restore_tensors(file, module_tensors(module), value_of(file, kind_key) == "checkpoint" ? model_prefix : "");
}

}  // namespace attnlab
