// Texts that have lost an order: the same symbols as often, elsewhere. A classifier that answers them as well
// as before has learned nothing of what was lost.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/options.h"
#include "data/batches.h"

namespace attnlab {

/// What is shuffled: the bytes of each word between white space, so that words keep their places, lengths and
/// letters; or all symbols of the text.
enum class Shuffle { words, text };
std::string_view name_of(Shuffle shuffle);
/// The shuffles with these names, as an option lists them.
OneOf shuffle_names();
Shuffle shuffle_named(std::string_view name);

/// A split with the symbols of every example shuffled, each by a stream of its own that derives from the seed
/// and the example's place. A text is first cut to what a model with this encoding sees of it, so that it
/// goes on seeing the same symbols.
class ShuffledSequences final : public LabelledSequences {
 public:
  ShuffledSequences(const LabelledSequences& data, const EncodingOptions& encoding, Shuffle shuffle,
                    uint64_t seed);
  int64_t size() const override { return data_.size(); }
  std::span<const uint8_t> symbols(int64_t i) const override { return texts_[static_cast<std::size_t>(i)]; }
  int32_t label(int64_t i) const override { return data_.label(i); }
  std::string_view id(int64_t i) const override { return data_.id(i); }

 private:
  const LabelledSequences& data_;  ///< outlives this
  std::vector<std::vector<uint8_t>> texts_;
};

}  // namespace attnlab
