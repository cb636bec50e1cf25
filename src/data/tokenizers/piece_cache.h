// Pieces of text that were encoded before: words come again and again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizers/pair_merges.h"

namespace attnlab {

/// One place for each of many pieces, which a later piece may take.
class PieceCache {
 public:
  /// The piece's symbols, valid until the next keep(); nothing where it is not here.
  const std::vector<Symbol>* find(std::string_view piece) const;
  /// A long piece is not kept.
  void keep(std::string_view piece, const std::vector<Symbol>& symbols);

 private:
  static constexpr std::size_t longest = 64;  ///< bytes
  struct Slot {
    std::string piece;
    std::vector<Symbol> symbols;
  };
  std::vector<Slot> slots_;
};

}  // namespace attnlab
