#include "data/tokenizers/piece_cache.h"

#include <functional>

namespace attnlab {
namespace {

constexpr std::size_t slot_count = 1 << 15;

std::size_t slot_of(std::string_view piece) { return std::hash<std::string_view>()(piece) % slot_count; }

}  // namespace

const std::vector<Symbol>* PieceCache::find(std::string_view piece) const {
  if (slots_.empty() || piece.empty()) return nullptr;
  const Slot& slot = slots_[slot_of(piece)];
  return slot.piece == piece ? &slot.symbols : nullptr;
}

void PieceCache::keep(std::string_view piece, const std::vector<Symbol>& symbols) {
  if (piece.size() > longest) return;
  slots_.resize(slot_count);
  slots_[slot_of(piece)] = {std::string(piece), symbols};
}

}  // namespace attnlab
