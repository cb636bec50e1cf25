#include "data/shuffled.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.h"
#include "core/random.h"

namespace attnlab {
namespace {

constexpr std::array<std::pair<std::string_view, Shuffle>, 2> shuffles{
    {{"words", Shuffle::words}, {"text", Shuffle::text}}};

/// ASCII's, whatever the locale.
bool is_white_space(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

void shuffle_words(std::span<uint8_t> text, Random& random) {
  for (auto at = text.begin(); at != text.end();) {
    const auto word = std::find_if_not(at, text.end(), is_white_space);
    at = std::find_if(word, text.end(), is_white_space);
    shuffle(std::span<uint8_t>(word, at), random);
  }
}

}  // namespace

std::string_view name_of(Shuffle shuffle) {
  for (const auto& [name, value] : shuffles)
    if (value == shuffle) return name;
  ensure(false, "a shuffle");
  return "";
}

OneOf shuffle_names() {
  OneOf names;
  for (const auto& [name, value] : shuffles) names.words.emplace_back(name);
  return names;
}

Shuffle shuffle_named(std::string_view name) {
  for (const auto& [known, value] : shuffles)
    if (known == name) return value;
  ensure(false, "a shuffle, not '{}'", name);
  return Shuffle::text;
}

ShuffledSequences::ShuffledSequences(const LabelledSequences& data, const EncodingOptions& encoding,
                                     Shuffle shuffle_what, uint64_t seed)
    : data_(data) {
  for (int64_t i = 0; i < data.size(); ++i) {
    Random random(derive_seed(seed, "shuffled symbols", static_cast<uint64_t>(i)));
    const auto seen = visible_symbols(data.symbols(i), encoding);
    auto& text = texts_.emplace_back(seen.begin(), seen.end());
    if (shuffle_what == Shuffle::words)
      shuffle_words(text, random);
    else
      shuffle(std::span<uint8_t>(text), random);
  }
}

}  // namespace attnlab
