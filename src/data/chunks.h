// How a document's tokens are cut into chunks, each of which a model reads alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/options.h"

namespace attnlab {

enum class BosPolicy { chunk, document, none };
enum class LastChunk { keep, drop };

/// The TOVA paper leaves BOS and the last chunk unsaid; both matter (the first token draws attention all
/// along), so both are options.
struct ChunkingOptions {
  int64_t length = 4096;
  int64_t stride = 0;
  BosPolicy bos = BosPolicy::chunk;
  LastChunk last = LastChunk::keep;
  int64_t max_tokens = 0;
  int64_t min_tokens = 0;

  void visit(Fields& f);
};

/// Tokens [begin, end) of a document, read after a BOS or not. Without one nothing predicts the first token,
/// which is then read but not scored; nor are those before `fresh`, which an earlier chunk has scored.
struct Chunk {
  int64_t begin = 0, end = 0;
  bool bos = false;
  int64_t fresh = 0;

  int64_t length() const { return end - begin + bos; }  ///< as the model reads it
  int64_t first_scored() const { return std::max(bos ? begin : begin + 1, fresh); }
  /// Losses at its head that are not scored, of those that the model gives: one a token after the first.
  int64_t unscored() const { return first_scored() - begin - 1 + bos; }
  int64_t scored() const { return end - first_scored(); }
  bool operator==(const Chunk&) const = default;
};

/// Chunks of a document of so many tokens, BOS not counted; each is `length` tokens long with its BOS. They
/// follow on each other, or begin `stride` tokens apart and score what is new to them. None where the
/// document has fewer than min_tokens. A last chunk in which nothing can be scored is left out.
std::vector<Chunk> plan_chunks(int64_t tokens, const ChunkingOptions& options);

}  // namespace attnlab
