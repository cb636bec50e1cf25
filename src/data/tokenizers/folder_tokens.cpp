#include "data/tokenizers/folder_tokens.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "core/json_map.h"
#include "data/tokenizers/json_node.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

std::optional<nlohmann::json> read_if_there(const fs::path& path) {
  if (!fs::exists(path)) return std::nullopt;
  return read_json_map(path, no_json);
}

AddedToken described_token(const JsonNode& node, int64_t id, bool special) {
  return {.content = node.text("content"),
          .id = id,
          .single_word = node.flag("single_word", false),
          .lstrip = node.flag("lstrip", false),
          .rstrip = node.flag("rstrip", false),
          .special = node.flag("special", special)};
}

/// "<s>", or {"content": "<s>", …}.
AddedToken named_token(const JsonNode& node) {
  if (node.value().is_object()) return described_token(node, FolderTokens::of_piece, true);
  return {.content = node.text(), .id = FolderTokens::of_piece, .special = true};
}

/// Of what several places declare, the first counts; a token that one of them calls special is.
void add(std::vector<AddedToken>& all, const AddedToken& token) {
  if (token.content.empty()) return;
  const auto same = std::find_if(all.begin(), all.end(),
                                 [&](const AddedToken& other) { return other.content == token.content; });
  if (same == all.end())
    all.push_back(token);
  else
    same->special |= token.special;
}

int64_t id_of_key(const JsonNode& map, const std::string& key) {
  int64_t id = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
  if (error != std::errc() || end != key.data() + key.size() || id < 0 || id > largest_token_id)
    map.at(key).refuse("a token under its id");
  return id;
}

void add_decoder(const JsonNode& map, std::vector<AddedToken>& all) {
  for (const auto& [key, value] : map.value().items())
    add(all, described_token(map.at(key), id_of_key(map, key), false));
}

void add_ids(const JsonNode& root, std::vector<AddedToken>& all) {
  for (const auto& [content, id] : root.value().items())
    add(all, {.content = content, .id = root.at(content).token_id()});
}

void add_names(const JsonNode& root, std::vector<AddedToken>& all) {
  for (const char* key : {"bos_token", "eos_token", "unk_token", "pad_token"})
    if (root.has(key)) add(all, named_token(root.at(key)));
  if (root.has("additional_special_tokens"))
    for (const JsonNode& name : root.at("additional_special_tokens").elements()) add(all, named_token(name));
}

}  // namespace

FolderTokens read_folder_tokens(const fs::path& tokenizer) {
  const fs::path folder = tokenizer.parent_path();
  const fs::path config_path = folder / "tokenizer_config.json", ids_path = folder / "added_tokens.json",
                 names_path = folder / "special_tokens_map.json";
  FolderTokens found;
  const auto config = read_if_there(config_path);
  if (config && JsonNode(*config, config_path.string()).has("added_tokens_decoder"))
    add_decoder(JsonNode(*config, config_path.string()).at("added_tokens_decoder"), found.tokens);
  else if (const auto ids = read_if_there(ids_path))
    add_ids(JsonNode(*ids, ids_path.string()), found.tokens);
  if (config) {
    const JsonNode root(*config, config_path.string());
    add_names(root, found.tokens);
    found.space_before_text = root.flag("add_prefix_space", true);
    found.space_after_token = found.space_before_text && root.flag("legacy", true);
    if (root.flag("add_eos_token", false))
      user_error("{}: 'add_eos_token' asks for EOS behind every text, which is not implemented",
                 config_path.string());
  }
  if (const auto names = read_if_there(names_path))
    add_names(JsonNode(*names, names_path.string()), found.tokens);
  return found;
}

}  // namespace attnlab
