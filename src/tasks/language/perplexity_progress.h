// What a perplexity run has scored so far, kept beside its record so that it continues behind the last
// document that was recorded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/record.h"
#include "metrics/kept_tokens.h"
#include "metrics/perplexity.h"
#include "tasks/progress_file.h"

namespace attnlab {

struct ScoredDocument {
  int64_t index = 0;
  std::string id;
  int64_t length = 0;  ///< tokens of the whole document
  int64_t chunks = 0;
  DocumentScore score;
  double seconds = 0;
};

struct PerplexityProgress {
  int64_t next = 0;  ///< documents before it are done or were left out
  int64_t chunks_done = 0;
  int64_t tokens_read = 0;
  double seconds = 0;       ///< of the model
  int64_t cache_bytes = 0;  ///< the most of any batch, a sequence
  std::vector<ScoredDocument> documents;
  PositionCurve curve;
  std::vector<KeptChunk> kept;  ///< of the chunks whose expiry is recorded

  /// As fresh where nothing was saved.
  static PerplexityProgress open(const ProgressFile& file, PositionCurve empty, RecordSink& record);
  void save(const ProgressFile& file, RecordSink& record) const;
  std::vector<DocumentScore> scores() const;
};

}  // namespace attnlab
