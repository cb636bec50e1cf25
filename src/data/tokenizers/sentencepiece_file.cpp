#include "data/tokenizers/sentencepiece_file.h"

#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>

#include "core/error.h"

namespace attnlab {
namespace {

// Numbers of fields in sentencepiece_model.proto.
enum ModelField : uint64_t { pieces = 1, trainer_spec = 2, normalizer_spec = 3, denormalizer_spec = 5 };
constexpr uint64_t precompiled_charsmap = 2;

/// One field of a protocol buffer; bytes are empty unless it is of wire type 2.
struct WireField {
  uint64_t number = 0;
  std::string_view bytes;
};

std::optional<uint64_t> take_varint(std::string_view& rest) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

/// The first field of `rest`, which it is taken from; nothing where `rest` holds no whole field.
std::optional<WireField> take_field(std::string_view& rest) {
  const auto tag = take_varint(rest);
  // The library keeps 32 bits of a tag: a longer one would be another field to it.
  if (!tag || *tag >> 3 == 0 || *tag >> 32 != 0) return std::nullopt;
  WireField field{*tag >> 3, {}};
  std::optional<uint64_t> length;
  switch (*tag & 7) {
    case 0:
      return take_varint(rest) ? std::optional(field) : std::nullopt;
    case 1:
      length = 8;
      break;
    case 2:
      length = take_varint(rest);
      break;
    case 5:
      length = 4;
      break;
    default:
      return std::nullopt;
  }
  if (!length || *length > rest.size()) return std::nullopt;
  if ((*tag & 7) == 2) field.bytes = rest.substr(0, *length);
  rest.remove_prefix(*length);
  return field;
}

/// Calls `use` for every field; false where the bytes are not whole fields.
bool for_each_field(std::string_view bytes, const std::function<void(const WireField&)>& use) {
  while (!bytes.empty()) {
    const auto field = take_field(bytes);
    if (!field) return false;
    use(*field);
  }
  return true;
}

uint32_t word_at(std::string_view bytes, uint64_t i) {
  uint32_t word = 0;
  std::memcpy(&word, bytes.data() + 4 * i, 4);
  return word;
}

/// Whether every step that a search can take in the double array (darts-clone's units: bit 31 marks a value,
/// bit 8 a node with one, bits 9 and 10… the way to its children) stays inside it, and every value inside the
/// texts that it points into.
bool leads_nowhere_else(std::string_view trie, uint64_t text_bytes) {
  const uint64_t units = trie.size() / 4;
  for (uint64_t i = 0; i < units; ++i) {
    const uint32_t unit = word_at(trie, i);
    if (unit >> 31 && i > 0) continue;  // a search begins at the first unit without asking what it is
    const uint64_t children = i ^ (static_cast<uint64_t>(unit >> 10) << ((unit & 0x200U) >> 6));
    if ((children | 0xff) >= units) return false;
    if (!(unit >> 31) && (unit & 0x100U) && (word_at(trie, children) & 0x7fffffffU) >= text_bytes)
      return false;
  }
  return true;
}

/// Four bytes of length, a double array, and texts that each end with a NUL.
bool is_sound_charsmap(std::string_view map) {
  if (map.empty()) return true;
  if (map.size() < 4) return false;
  const uint64_t trie_bytes = word_at(map, 0);
  if (trie_bytes >= map.size() - 4 || trie_bytes % 4 != 0) return false;
  const std::string_view texts = map.substr(4 + trie_bytes);
  return texts.back() == '\0' && leads_nowhere_else(map.substr(4, trie_bytes), texts.size());
}

}  // namespace

void check_sentencepiece_file(std::string_view bytes, const std::string& file) {
  bool has_pieces = false, has_trainer = false, has_normalizer = false, sound = true;
  const auto look_at_charsmap = [&](const WireField& field) {
    if (field.number == precompiled_charsmap) sound = sound && is_sound_charsmap(field.bytes);
  };
  const bool whole = for_each_field(bytes, [&](const WireField& field) {
    has_pieces |= field.number == pieces;
    has_trainer |= field.number == trainer_spec;
    has_normalizer |= field.number == normalizer_spec;
    if (field.number == normalizer_spec || field.number == denormalizer_spec)
      sound = for_each_field(field.bytes, look_at_charsmap) && sound;
  });
  if (!has_pieces) user_error("{} is no SentencePiece model", file);
  if (!whole || !has_trainer || !has_normalizer)
    user_error("{} is cut short or damaged: it is no whole SentencePiece model", file);
  if (!sound) user_error("{} is damaged: its table of normalisation is broken", file);
}

}  // namespace attnlab
