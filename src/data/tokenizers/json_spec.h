// What a tokenizer.json says, checked: everything in it is either here or refused with a sentence, but for
// truncation and padding, which transformers goes by only where a call asks for them.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/tokenizers/added_tokens.h"
#include "data/tokenizers/bpe_model.h"
#include "data/tokenizers/json_node.h"
#include "data/tokenizers/split_rules.h"
#include "data/tokenizers/text_steps.h"

namespace attnlab {

/// How a text is cut into the pieces that are merged on their own.
struct JsonCuts {
  std::vector<TextStep> steps;    ///< Metaspace's, of what stands between added tokens
  std::string before;             ///< every such text begins a piece; empty: none does
  std::vector<SplitRule> splits;  ///< one after the other, each of the pieces of the one before
  bool of_bytes = false;          ///< ByteLevel: each byte stands for a character of the vocabulary
};

/// From tokens to text, where tokens are not of bytes.
struct JsonDecoder {
  std::string space;  ///< what stands for a space in a token
  bool drops_first_space = false;
};

struct JsonSpec {
  std::string file;
  std::vector<std::string> pieces;  ///< by id, added tokens too; empty where an id has none
  std::unordered_map<std::string, int32_t, TextHash, std::equal_to<>> ids;  ///< of the model's own pieces
  std::vector<std::array<int32_t, 3>> merges;                               ///< left, right, what they become
  std::vector<AddedToken> added;
  BpeOptions bpe;
  std::vector<TextStep> normalizer;
  JsonCuts cuts;
  JsonDecoder decoder;
  std::optional<int64_t> first_token;  ///< that the post-processor puts before a text
};

/// Throws UserError, one sentence with file and key, for what is no tokenizer.json, is damaged, contradicts
/// itself or asks for what is not implemented.
JsonSpec read_json_spec(const std::filesystem::path& path);

// Its parts, each from the file's outer map into the specification.
void read_json_model(const JsonNode& root, JsonSpec& spec);
void read_added_tokens(const JsonNode& root, JsonSpec& spec);
void read_json_steps(const JsonNode& root, JsonSpec& spec);  ///< normaliser, pre-tokeniser, decoder
void read_post_processor(const JsonNode& root, JsonSpec& spec);
/// Whatever text is encoded, what has no piece has something in its place, or is to be dropped.
void check_unknown(const JsonNode& root, const JsonSpec& spec);

/// The byte that a character of ByteLevel's alphabet stands for: printable ones for themselves, the other 68
/// in order from U+0100 on.
std::optional<unsigned char> byte_of_letter(char32_t letter);
/// The byte of a token written <0x0A>.
std::optional<unsigned char> byte_of_token(std::string_view piece);
/// A piece of ByteLevel's alphabet as bytes; nothing where a character is none of it.
std::optional<std::string> bytes_of_letters(std::string_view piece);

}  // namespace attnlab
