// The model and the added tokens of a tokenizer.json.
#include <algorithm>

#include "core/error.h"
#include "data/tokenizers/json_spec.h"
#include "data/unicode/characters.h"

namespace attnlab {
namespace {

constexpr std::size_t byte_values = 256;

std::string& piece_at(JsonSpec& spec, int64_t id) {
  if (id >= static_cast<int64_t>(spec.pieces.size())) spec.pieces.resize(static_cast<std::size_t>(id) + 1);
  return spec.pieces[static_cast<std::size_t>(id)];
}

void read_vocabulary(const JsonNode& vocabulary, JsonSpec& spec) {
  if (!vocabulary.value().is_object()) vocabulary.refuse("a map from pieces to ids");
  // Ids may leave gaps, of which each costs memory.
  const auto most = static_cast<int64_t>(4 * vocabulary.value().size() + 1024);
  std::vector<bool> taken;
  for (const auto& [piece, id] : vocabulary.value().items()) {
    if (!id.is_number_unsigned()) vocabulary.at(piece).refuse("a token id");
    const int64_t number = JsonNode(id, spec.file, vocabulary.where()).token_id();
    if (number > most)
      user_error("{}: '{}.{}' is {}, far beyond its {} pieces", spec.file, vocabulary.where(), piece, number,
                 vocabulary.value().size());
    piece_at(spec, number) = piece;
    taken.resize(spec.pieces.size());
    if (taken[static_cast<std::size_t>(number)])
      user_error("{}: '{}' gives two pieces the id {}, '{}' is one of them", spec.file, vocabulary.where(),
                 number, piece);
    taken[static_cast<std::size_t>(number)] = true;
    spec.ids[piece] = static_cast<int32_t>(number);
  }
}

/// "a b", or ["a", "b"] in newer files; nothing for what is neither.
std::optional<std::pair<std::string, std::string>> two_parts(const nlohmann::json& merge) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
    return std::pair{merge[0].get<std::string>(), merge[1].get<std::string>()};
  const std::string text = merge.is_string() ? merge.get<std::string>() : "";
  const std::size_t space = text.find(' ');
  if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) return std::nullopt;
  return std::pair{text.substr(0, space), text.substr(space + 1)};
}

bool is_version(const nlohmann::json& merge) {
  return merge.is_string() && merge.get_ref<const std::string&>().starts_with("#version");
}

void read_merges(const JsonNode& merges, JsonSpec& spec) {
  if (!merges.value().is_array()) merges.refuse("a list");
  spec.merges.reserve(merges.value().size());
  for (std::size_t i = 0; i < merges.value().size(); ++i) {
    const auto& value = merges.value()[i];
    if (is_version(value)) continue;
    const auto parts = two_parts(value);
    if (!parts)
      JsonNode(value, spec.file, fmt::format("{}[{}]", merges.where(), i)).refuse("a pair of pieces");
    const auto& [left, right] = *parts;
    const auto id_of = [&](const std::string& piece) {
      const auto found = spec.ids.find(piece);
      if (found == spec.ids.end())
        user_error("{}: '{}[{}]' merges '{}' and '{}', and there is no piece '{}'", spec.file, merges.where(),
                   i, parts->first, parts->second, piece);
      return found->second;
    };
    spec.merges.push_back({id_of(left), id_of(right), id_of(left + right)});
  }
}

void refuse_what_changes_words(const JsonNode& model) {
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (model.has(key) && !model.text(key).empty()) model.at(key).not_implemented("a text");
  if (model.has("dropout") && model.at("dropout").value() != 0) model.at("dropout").not_implemented("a rate");
}

void read_unknown(const JsonNode& model, JsonSpec& spec) {
  spec.bpe.fuse_unknown = model.flag("fuse_unk", false);
  if (!model.has("unk_token") || model.text("unk_token").empty()) return;
  const auto found = spec.ids.find(model.text("unk_token"));
  if (found != spec.ids.end()) spec.bpe.unknown = found->second;
}

}  // namespace

void read_json_model(const JsonNode& root, JsonSpec& spec) {
  const JsonNode model = root.at("model");
  if (model.has("type") && model.text("type") != "BPE")
    model.at("type").not_implemented(fmt::format("'{}', a model other than BPE", model.text("type")));
  refuse_what_changes_words(model);
  spec.bpe.ignore_merges = model.flag("ignore_merges", false);
  spec.bpe.byte_fallback = model.flag("byte_fallback", false);
  read_vocabulary(model.at("vocab"), spec);
  read_merges(model.at("merges"), spec);
  read_unknown(model, spec);
}

void check_unknown(const JsonNode& root, const JsonSpec& spec) {
  std::array<bool, byte_values> there{};
  for (const auto& [piece, id] : spec.ids) {
    const auto letters = spec.cuts.of_bytes ? bytes_of_letters(piece) : std::nullopt;
    const auto byte = !spec.cuts.of_bytes               ? byte_of_token(piece)
                      : letters && letters->size() == 1 ? std::optional<unsigned char>((*letters)[0])
                                                        : std::nullopt;
    if (byte) there[*byte] = true;
  }
  const bool all = std::count(there.begin(), there.end(), true) == byte_values;
  const JsonNode model = root.at("model");
  if (all && (spec.cuts.of_bytes || spec.bpe.byte_fallback)) return;
  if (spec.bpe.byte_fallback)
    user_error("{}: 'model.byte_fallback' is asked for, and the vocabulary has no piece for some byte",
               spec.file);
  if (!spec.bpe.unknown && model.has("unk_token") && !model.text("unk_token").empty())
    user_error("{}: 'model.unk_token' is '{}', and there is no such piece", spec.file,
               model.text("unk_token"));
}

void read_added_tokens(const JsonNode& root, JsonSpec& spec) {
  if (!root.has("added_tokens")) return;
  std::unordered_map<std::string, int64_t> known;
  int64_t highest = -1;
  const auto vocabulary = static_cast<int64_t>(spec.ids.size());
  for (const JsonNode& node : root.at("added_tokens").elements()) {
    AddedToken token{.content = node.text("content"),
                     .id = node.at("id").token_id(),
                     .single_word = node.flag("single_word", false),
                     .lstrip = node.flag("lstrip", false),
                     .rstrip = node.flag("rstrip", false),
                     .normalized = node.flag("normalized", true),
                     .special = node.flag("special", false)};
    if (token.content.empty()) node.refuse("a token with some content");
    // The id that the reference gives it, whatever is written: that of the piece, or the next free one.
    const auto piece = spec.ids.find(token.content);
    const int64_t due = piece != spec.ids.end() ? piece->second : std::max(highest + 1, vocabulary);
    if (!known.emplace(token.content, token.id).second)
      user_error("{}: '{}' is the token '{}' for the second time", spec.file, node.where(), token.content);
    if (token.id != due)
      user_error("{}: '{}' gives '{}' the id {}, and the vocabulary leaves it {}", spec.file, node.where(),
                 token.content, token.id, due);
    highest = std::max(highest, token.id);
    piece_at(spec, token.id) = token.content;
    spec.added.push_back(std::move(token));
  }
}

std::optional<unsigned char> byte_of_letter(char32_t letter) {
  const auto stands_for_itself = [](char32_t c) {
    return (c >= 0x21 && c <= 0x7E) || (c >= 0xA1 && c <= 0xAC) || (c >= 0xAE && c <= 0xFF);
  };
  if (stands_for_itself(letter)) return static_cast<unsigned char>(letter);
  if (letter < 0x100 || letter >= 0x144) return std::nullopt;
  char32_t left = letter - 0x100, byte = 0;
  for (; stands_for_itself(byte) || left > 0; ++byte) left -= stands_for_itself(byte) ? 0 : 1;
  return static_cast<unsigned char>(byte);
}

std::optional<std::string> bytes_of_letters(std::string_view piece) {
  std::string bytes;
  while (!piece.empty()) {
    const Character next = first_character(piece);
    const auto byte = byte_of_letter(next.code);
    if (!byte) return std::nullopt;
    bytes += static_cast<char>(*byte);
    piece.remove_prefix(next.size);
  }
  return bytes;
}

std::optional<unsigned char> byte_of_token(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return std::nullopt;
  int value = 0;
  for (const char c : piece.substr(3, 2)) {
    const bool digit = c >= '0' && c <= '9', letter = c >= 'A' && c <= 'F';
    if (!digit && !letter) return std::nullopt;
    value = 16 * value + (digit ? c - '0' : c - 'A' + 10);
  }
  return static_cast<unsigned char>(value);
}

}  // namespace attnlab
