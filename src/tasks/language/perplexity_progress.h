// What a perplexity run has scored so far, kept beside its record so that it continues behind the last
// document that was recorded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/record.h"
#include "metrics/perplexity.h"

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
  std::vector<std::string> tables;  ///< that grow with the documents

  /// Rows of `tables` that are not part of what was saved are forgotten. Throws UserError unless it was
  /// written with the same `identity` (name → checksum of what the run depends on); as fresh where there is
  /// no file.
  static PerplexityProgress open(const std::filesystem::path& file,
                                 const std::map<std::string, std::string>& identity, PositionCurve empty,
                                 RecordSink& record, std::vector<std::string> tables);
  /// Flushes the record, then writes what it holds: rows behind that are forgotten by open().
  void save(const std::filesystem::path& file, const std::map<std::string, std::string>& identity,
            RecordSink& record) const;
  std::vector<DocumentScore> scores() const;
};

}  // namespace attnlab
