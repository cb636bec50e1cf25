#include "data/unicode/text_map.h"

#include <algorithm>

#include "core/utf8.h"

namespace attnlab {

void TextMap::to_original(std::span<int64_t> offsets) const {
  Anchor at{0, 0};
  auto next = anchors_.begin();
  for (int64_t& offset : offsets) {
    const auto changed = static_cast<std::size_t>(offset);
    for (; next != anchors_.end() && next->changed <= changed; ++next) at = *next;
    std::size_t original = at.original + (changed - at.changed);
    if (next != anchors_.end()) original = std::min(original, next->original);
    offset = static_cast<int64_t>(original);
  }
}

ChangedText well_formed(std::string_view text) {
  ChangedText changed;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t good = first_stray_byte(text.substr(at));
    changed.keep(text.substr(at, good));
    at += good;
    if (at == text.size()) break;
    changed.put("\uFFFD", at, at + 1);
    ++at;
  }
  return changed;
}

}  // namespace attnlab
