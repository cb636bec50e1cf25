// A document as token ids that remember how much text they stand for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/documents.h"
#include "data/tokenizer.h"

namespace attnlab {

struct TextCounts {
  int64_t bytes = 0, words = 0;
};

class TokenisedDocument {
 public:
  /// A text is encoded, without BOS, by the tokenizer, which must be there; ids are taken as they stand.
  TokenisedDocument(Document document, const Tokenizer* tokenizer);

  const std::string& id() const { return document_.id; }
  const std::vector<int64_t>& ids() const { return ids_; }
  /// Bytes and words of the text that tokens [begin, end) stand for. The words are those that begin there. Of
  /// ids the text is what the tokenizer decodes; 0 without one.
  TextCounts count(int64_t begin, int64_t end) const;

 private:
  int64_t end_of(int64_t tokens) const;

  Document document_;
  const Tokenizer* tokenizer_;
  std::vector<int64_t> ids_;
  std::vector<int64_t> ends_;  ///< of a text's tokens, in bytes
};

}  // namespace attnlab
