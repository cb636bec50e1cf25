#include "io/not_a_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "io/hf_config.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using Sentence = std::optional<std::string>;

constexpr const char* needed =
    "a model is read from a folder with config.json and model.safetensors, whole or in shards";
constexpr const char* adapter_name = "adapter_config.json";

struct WeightFormat {
  std::string_view extension;
  const char* name;
};
constexpr std::array<WeightFormat, 8> formats_not_read{{{".gguf", "GGUF, llama.cpp's format"},
                                                        {".ggml", "GGML, llama.cpp's former format"},
                                                        {".bin", "PyTorch's own format"},
                                                        {".pt", "PyTorch's own format"},
                                                        {".pth", "PyTorch's own format"},
                                                        {".ckpt", "PyTorch's own format"},
                                                        {".onnx", "ONNX"},
                                                        {".msgpack", "Flax's format"}}};

/// The format of weights that the file is in, as its name and its first bytes tell; null for others.
const char* format_not_read(const fs::path& file) {
  std::array<char, 4> magic{};
  std::ifstream(file, std::ios::binary).read(magic.data(), magic.size());
  if (std::string_view(magic.data(), magic.size()) == "GGUF") return formats_not_read[0].name;
  const std::string extension = file.extension().string();
  for (const WeightFormat& format : formats_not_read)
    if (extension == format.extension) return format.name;
  return nullptr;
}

bool stands(const fs::path& path) {
  std::error_code none;  // of a name that is no file's
  return fs::exists(path, none);
}

/// What a folder holds that is not hidden, in the order of names.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code none;
  for (fs::directory_iterator at(folder, none), end; !none && at != end; at.increment(none))
    if (!is_hidden(at->path())) entries.push_back(at->path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

/// The commit that a cache says is the newest of a model: the name of its snapshot's folder.
std::string main_of(const fs::path& cached_model) {
  std::string commit;
  std::ifstream(cached_model / "refs" / "main") >> commit;
  return commit;
}

/// A folder with a config.json, at most `depth` folders below; the newest snapshot first.
std::optional<fs::path> model_below(const fs::path& folder, int depth) {
  if (const auto newest = folder / "snapshots" / main_of(folder); is_hf_folder(newest)) return newest;
  const std::vector<fs::path> entries = entries_of(folder);
  for (const fs::path& entry : entries)
    if (is_hf_folder(entry)) return entry;
  if (depth > 1)
    for (const fs::path& entry : entries) {
      std::error_code none;
      if (!fs::is_directory(entry, none)) continue;
      if (auto found = model_below(entry, depth - 1)) return found;
    }
  return std::nullopt;
}

Sentence as_adapter(const fs::path& folder) {
  if (!stands(folder / adapter_name)) return std::nullopt;
  std::ifstream in(folder / adapter_name);
  const auto config = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  std::string base = "the model that it was trained for";
  if (config.is_object() && config.contains("base_model_name_or_path") &&
      config["base_model_name_or_path"].is_string())
    base = config["base_model_name_or_path"].get<std::string>();
  return fmt::format(
      "{} is an adapter ({}), which only changes a model: merge it into {} (peft: merge_and_unload, then "
      "save_pretrained) and give the folder of that",
      folder.string(), adapter_name, base);
}

/// "me/tiny": what the hub calls a model.
Sentence as_hub_name(const fs::path& path) {
  static const std::regex form("[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*");
  const std::string name = path.string(), extension = path.extension().string();
  constexpr std::size_t longest = 200;  // std::regex recurses once a character
  if (name.size() > longest || !std::regex_match(name, form) || extension == ".yaml" || extension == ".yml" ||
      stands(path.parent_path()))
    return std::nullopt;
  return fmt::format(
      "there is no folder {0}, and nothing is fetched from the Hugging Face hub here: `hf download {0} "
      "--local-dir FOLDER` does, and FOLDER is what to give",
      name);
}

Sentence as_file(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const char* format = format_not_read(file);
  if (format) return fmt::format("{} is in {}, which is not read: {}", file.string(), format, needed);
  const std::string extension = file.extension().string();
  if (extension != ".safetensors" && extension != ".json") return std::nullopt;
  if (is_hf_folder(folder))
    return fmt::format("{} is one file of a model: give its folder, {}", file.string(), folder.string());
  if (auto adapter = as_adapter(folder)) return adapter;
  return fmt::format("{} is a file alone: {}", file.string(), needed);
}

Sentence as_folder(const fs::path& folder) {
  constexpr int depth = 3;  // from a cache over its models and their snapshots
  if (auto adapter = as_adapter(folder)) return adapter;
  const bool cached = stands(folder / "snapshots");
  if (const auto model = model_below(folder, depth))
    return fmt::format("{} is {}, and the model itself lies in {}: give that folder", folder.string(),
                       cached ? "the top of a model in a Hugging Face cache" : "a folder around a model",
                       model->string());
  if (cached)
    return fmt::format(
        "{} is the top of a model in a Hugging Face cache, and no snapshot in it has a config.json: was the "
        "download cut short?",
        folder.string());
  const std::string others = weights_not_read(folder);
  if (!others.empty()) return fmt::format("{} holds no config.json{}: {}", folder.string(), others, needed);
  if (!files_in(folder, ".safetensors").empty())
    return fmt::format("{} holds weights without the config.json that describes them: {}", folder.string(),
                       needed);
  if (entries_of(folder).empty()) return fmt::format("{} is an empty folder: {}", folder.string(), needed);
  return std::nullopt;
}

}  // namespace

std::string weights_not_read(const fs::path& folder) {
  if (stands(folder / adapter_name)) return "; it is an adapter, which has to be merged into its model first";
  for (const fs::path& file : entries_of(folder))
    if (const char* format = format_not_read(file); format && fs::is_regular_file(file))
      return fmt::format("; {} is in {}, which is not read", file.filename().string(), format);
  return "";
}

std::optional<std::string> mistaken_for_model(const fs::path& path) {
  if (!stands(path)) return as_hub_name(path);
  return fs::is_directory(path) ? as_folder(path) : as_file(path);
}

}  // namespace attnlab
