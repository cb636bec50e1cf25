#include "data/tokenizers/special_names.h"

#include "core/json_map.h"
#include "data/tokenizers/json_node.h"

namespace attnlab {
namespace {

/// "<s>", or in some files {"content": "<s>", …}.
std::optional<std::string> token_name(const JsonNode& root, const std::string& key) {
  if (!root.has(key)) return std::nullopt;
  const JsonNode name = root.at(key);
  return name.value().is_object() ? name.text("content") : name.text();
}

}  // namespace

SpecialNames read_special_names(const std::filesystem::path& tokenizer) {
  const std::filesystem::path path = tokenizer.parent_path() / "tokenizer_config.json";
  if (!std::filesystem::exists(path)) return {};
  const nlohmann::json map = read_json_map(path, no_json);
  const JsonNode root(map, path.string());
  SpecialNames names{token_name(root, "bos_token"), token_name(root, "eos_token"), std::nullopt};
  if (root.has("add_bos_token")) names.adds_bos = root.flag("add_bos_token", false);
  return names;
}

}  // namespace attnlab
