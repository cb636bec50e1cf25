// Token ids as JSON lines: one chunk a line, for texts that were tokenised elsewhere.
#pragma once

#include <string_view>

#include "data/documents.h"

namespace attnlab {

/// A line is [1, 5, 9, …] or {"ids": [1, 5, 9, …]}, with an "id" of the chunk where it has one; other keys
/// are ignored, empty lines skipped. Without an "id" a chunk is named after file and line: "chunks:3". Ids
/// are scored as they stand: nothing is put before them and they are not cut.
struct TokenLinesOptions final : DocumentDataOptions {
  std::string path;

  void visit(Fields& f) override;
  bool holds_ids() const override { return true; }
  std::shared_ptr<Documents> open(const DataPlace& place) const override;
};

/// One line. Throws UserError that begins with `origin` ("chunks.jsonl:3") and says what is wrong.
Document parse_token_line(std::string_view line, const std::string& origin, const std::string& default_id);

/// Throws UserError where an id is not below `vocabulary`.
void check_ids(const Document& document, int64_t vocabulary);

}  // namespace attnlab
