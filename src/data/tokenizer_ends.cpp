#include <sentencepiece_processor.h>

#include <algorithm>

#include "core/error.h"
#include "data/tokenizer.h"

namespace attnlab {

Encoding Tokenizer::encode_with_ends(std::string_view text) const {
  const auto pieces = model_->EncodeAsImmutableProto(text);
  Encoding encoding;
  encoding.ids.reserve(pieces.pieces_size());
  encoding.ends.reserve(pieces.pieces_size());
  int64_t end = 0;
  for (std::size_t i = 0; i < pieces.pieces_size(); ++i) {
    const auto piece = pieces.pieces(static_cast<int>(i));
    encoding.ids.push_back(piece.id());
    // The bytes of one character are several tokens, of which the last one covers it.
    end = std::max<int64_t>(end, piece.end());
    encoding.ends.push_back(end);
  }
  ensure(encoding.ids.empty() || end <= static_cast<int64_t>(text.size()),
         "tokens within the text's {} bytes", text.size());
  return encoding;
}

}  // namespace attnlab
