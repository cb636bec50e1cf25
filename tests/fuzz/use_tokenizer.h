// What a tokenizer that was read must bear, whatever its file held.
#pragma once

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "data/tokenizer.h"

namespace attnlab {

inline void use_tokenizer(const Tokenizer& tokenizer) {
  for (const std::string_view text :
       {"", "Once upon a time, there was\na  girl.", "\u00e9\u2581\u4e16 \xff\xc3"}) {
    const std::vector<int64_t> ids = tokenizer.encode(text, tokenizer.bos_id().has_value());
    for (const int64_t id : ids)
      ensure(0 <= id && id < tokenizer.size(), "ids of the vocabulary, not {}", id);
    tokenizer.decode(ids);
    const Encoding with_ends = tokenizer.encode_with_ends(text);
    ensure(std::is_sorted(with_ends.ends.begin(), with_ends.ends.end()), "ends that never fall");
  }
  std::vector<int64_t> all(static_cast<std::size_t>(tokenizer.size()));
  std::iota(all.begin(), all.end(), 0);
  tokenizer.decode(all);
  TextStream stream(tokenizer);
  for (const int64_t id : all) {
    ensure(tokenizer.bytes_of(id) >= 0, "a count of bytes");
    tokenizer.id_of(tokenizer.piece(id));
    stream.push(id);
  }
  stream.finish();
  tokenizer.ids_of_text(".");
  tokenizer.ids_of_text("\n");
}

}  // namespace attnlab
