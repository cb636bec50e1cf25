// A vocabulary with rules of merging, from a piece of text to its tokens.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/tokenizers/pair_merges.h"
#include "data/tokenizers/piece_cache.h"

namespace attnlab {

struct BpeOptions {
  bool of_bytes = false;  ///< a symbol to begin with is a byte, not a character
  bool byte_fallback =
      false;  ///< a character that is no token becomes the tokens of its bytes, which are all there
  bool ignore_merges = false;      ///< a piece that is a token is taken as it is
  bool fuse_unknown = false;       ///< unknown characters in a row are one unknown token
  std::optional<int32_t> unknown;  ///< token of what has none; without it that is dropped
};

/// For maps by text that are asked with a view.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

class BpeModel {
 public:
  explicit BpeModel(const BpeOptions& options) : options_(options) {}
  void add_byte(unsigned char byte, int32_t id) { bytes_[byte] = id; }
  void add_character(char32_t code, int32_t id) { characters_[code] = id; }
  /// A text that is a token; only asked for where merges are ignored.
  void add_whole(const std::string& text, int32_t id) {
    if (options_.ignore_merges) whole_[text] = id;
  }
  void add_merge(int32_t left, int32_t right, int32_t merged) { merges_.add(left, right, merged); }

  /// The tokens of a piece of well-formed UTF-8; `cache` may be absent. Valid until the next call with the
  /// same `space`.
  const std::vector<Symbol>& encode(std::string_view piece, PieceCache* cache,
                                    std::vector<Symbol>& space) const;

 private:
  std::optional<int32_t> whole(std::string_view piece) const;
  int32_t id_of(char32_t code) const;
  void first_symbols(std::string_view piece, std::vector<Symbol>& symbols) const;

  static std::array<int32_t, 256> nowhere() {
    std::array<int32_t, 256> all{};
    all.fill(-1);
    return all;
  }
  BpeOptions options_;
  std::array<int32_t, 256> bytes_ = nowhere();
  std::unordered_map<char32_t, int32_t> characters_;
  std::unordered_map<std::string, int32_t, TextHash, std::equal_to<>> whole_;
  PairMerges merges_;
};

}  // namespace attnlab
