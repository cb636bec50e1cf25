// Documents as token ids, end to end: what a language model is trained on.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/documents.h"
#include "data/prepared.h"
#include "data/tokenizer.h"

namespace attnlab {

/// Tokens of all documents in their order, each text beginning with BOS and ending with EOS where the
/// tokenizer has them; ids as they stand. Memory-mapped.
class TokenCorpus {
 public:
  explicit TokenCorpus(std::shared_ptr<PreparedSequences> documents);

  int64_t size() const { return ends_.empty() ? 0 : ends_.back(); }  ///< tokens
  int64_t documents() const { return static_cast<int64_t>(ends_.size()); }
  int64_t end(int64_t document) const { return ends_[static_cast<std::size_t>(document)]; }
  int64_t begin(int64_t document) const { return document == 0 ? 0 : end(document - 1); }
  /// Tokens [first, first + count).
  std::vector<int64_t> slice(int64_t first, int64_t count) const;
  /// SHA-256 of documents and tokens.
  std::string_view content_sha256() const { return documents_->content_sha256(); }

 private:
  std::shared_ptr<PreparedSequences> documents_;
  std::vector<int64_t> ends_;  ///< tokens up to the end of each document
};

/// The first `count` documents of a set of texts, and the SHA-256 that tells them from others.
struct TextSource {
  std::shared_ptr<Documents> documents;
  int64_t count = 0;
  std::string checksum;
};

/// The first `documents` of the set; 0: all.
TextSource open_texts(const DocumentDataOptions& data, int64_t documents, const DataPlace& place);

/// The texts tokenized, once, and kept in the data cache. `tokenizer_checksum` stands for the tokenizer in
/// the fingerprint. Throws UserError for a vocabulary above 65,536, and for ids outside of it.
TokenCorpus open_tokens(const TextSource& texts, const DataPlace& place, const Tokenizer& tokenizer,
                        const std::string& tokenizer_checksum);

}  // namespace attnlab
