#include "data/byte_tokenizer.h"

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "core/files.h"
#include "core/json_text.h"
#include "data/prepared.h"
#include "data/tokenizers/json_spec.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* bos = "<s>";
constexpr const char* eos = "</s>";
constexpr int special_tokens = 2;
constexpr char32_t end_of_letters = 0x100 + 68;  // of ByteLevel's alphabet

/// UTF-8 of a code below 0x800.
std::string utf8_of(char32_t code) {
  if (code < 0x80) return {static_cast<char>(code)};
  return {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 0x3f))};
}

ordered_json vocabulary() {
  ordered_json ids{{bos, 0}, {eos, 1}};
  std::map<int, std::string> letters;
  for (char32_t letter = 0; letter < end_of_letters; ++letter)
    if (const auto byte = byte_of_letter(letter)) letters[*byte] = utf8_of(letter);
  for (const auto& [byte, letter] : letters) ids[letter] = special_tokens + byte;
  return ids;
}

ordered_json special_token(const char* content, int id) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

ordered_json byte_level() {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}};
}

ordered_json tokenizer() {
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", {special_token(bos, 0), special_token(eos, 1)}},
          {"normalizer", nullptr},
          {"pre_tokenizer", byte_level()},
          {"post_processor", nullptr},
          {"decoder", byte_level()},
          {"model", {{"type", "BPE"}, {"vocab", vocabulary()}, {"merges", ordered_json::array()}}}};
}

}  // namespace

fs::path put_byte_tokenizer(const fs::path& folder) {
  const fs::path file = folder / "tokenizer.json", names = folder / "tokenizer_config.json";
  if (fs::exists(names) && fs::exists(file)) return file;
  const FileLock lock = lock_prepared(file);
  if (!fs::exists(names))
    write_atomically(names, json_text(ordered_json{{"tokenizer_class", "PreTrainedTokenizerFast"},
                                                   {"bos_token", bos},
                                                   {"eos_token", eos}},
                                      2) +
                                "\n");
  if (!fs::exists(file)) write_atomically(file, json_text(tokenizer(), 2) + "\n");
  return file;
}

}  // namespace attnlab
