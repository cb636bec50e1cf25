#include "data/tokenised.h"

#include <algorithm>
#include <span>
#include <utility>

#include "core/error.h"
#include "data/words.h"

namespace attnlab {

TokenisedDocument::TokenisedDocument(Document document, const Tokenizer* tokenizer)
    : document_(std::move(document)), tokenizer_(tokenizer) {
  if (document_.ids.empty()) {
    ensure(tokenizer != nullptr, "a tokenizer for the text {}", document_.id);
    Encoding encoding = tokenizer->encode_with_ends(document_.text);
    ids_ = std::move(encoding.ids);
    ends_ = std::move(encoding.ends);
  } else {
    ids_.assign(document_.ids.begin(), document_.ids.end());
    if (tokenizer) document_.text = tokenizer->decode(ids_);
  }
}

int64_t TokenisedDocument::end_of(int64_t tokens) const {
  if (tokens == 0) return 0;
  if (!ends_.empty()) return ends_[static_cast<std::size_t>(tokens - 1)];
  const auto text = tokenizer_->decode(std::span(ids_).first(static_cast<std::size_t>(tokens)));
  return std::min(static_cast<int64_t>(text.size()), static_cast<int64_t>(document_.text.size()));
}

TextCounts TokenisedDocument::count(int64_t begin, int64_t end) const {
  if (ends_.empty() && !tokenizer_) return {};
  const int64_t from = end_of(begin), to = end_of(end);
  return {to - from, count_words(document_.text, from, to)};
}

}  // namespace attnlab
