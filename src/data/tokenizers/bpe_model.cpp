#include "data/tokenizers/bpe_model.h"

#include "data/unicode/characters.h"

namespace attnlab {

std::optional<int32_t> BpeModel::whole(std::string_view piece) const {
  if (!options_.ignore_merges) return std::nullopt;
  const auto found = whole_.find(piece);
  return found == whole_.end() ? std::nullopt : std::optional(found->second);
}

const std::vector<Symbol>& BpeModel::encode(std::string_view piece, PieceCache* cache,
                                            std::vector<Symbol>& space) const {
  if (const auto* known = cache ? cache->find(piece) : nullptr) return *known;
  space.clear();
  if (const auto token = whole(piece)) {
    space.push_back({*token, static_cast<uint32_t>(piece.size())});
  } else {
    first_symbols(piece, space);
    merges_.apply(space);
  }
  if (cache) cache->keep(piece, space);
  return space;
}

void BpeModel::first_symbols(std::string_view piece, std::vector<Symbol>& symbols) const {
  bool after_unknown = false;
  for (std::size_t at = 0; at < piece.size();) {
    const Character next = options_.of_bytes ? Character{static_cast<unsigned char>(piece[at]), 1}
                                             : first_character(piece.substr(at));
    const auto end = static_cast<uint32_t>(at + next.size);
    const int32_t id = id_of(next.code);
    if (id >= 0)
      symbols.push_back({id, end});
    else if (options_.byte_fallback)
      for (; at < end; ++at)
        symbols.push_back({bytes_[static_cast<unsigned char>(piece[at])], static_cast<uint32_t>(at + 1)});
    else if (options_.unknown && after_unknown && options_.fuse_unknown)
      symbols.back().end = end;
    else if (options_.unknown)
      symbols.push_back({*options_.unknown, end});
    after_unknown = id < 0;
    at = end;
  }
}

int32_t BpeModel::id_of(char32_t code) const {
  if (options_.of_bytes) return bytes_[code];
  const auto found = characters_.find(code);
  return found == characters_.end() ? -1 : found->second;
}

}  // namespace attnlab
