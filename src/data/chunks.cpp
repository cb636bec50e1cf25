#include "data/chunks.h"

#include <algorithm>

#include "core/error.h"

namespace attnlab {

void ChunkingOptions::visit(Fields& f) {
  f("length", length, Range{2, 1 << 24},
    "tokens that the model reads at a time, BOS included (TOVA §5: 4096); a longer document is cut into "
    "consecutive chunks, each read alone");
  f("stride", stride, Range{0, 1 << 24},
    "tokens from one chunk's beginning to the next: chunks overlap, and each scores what no chunk before it "
    "has (what others publish as perplexity with a sliding window); 0: consecutive chunks");
  f("bos", bos, {{"chunk", BosPolicy::chunk}, {"document", BosPolicy::document}, {"none", BosPolicy::none}},
    "which chunks begin with the tokenizer's BOS: every one, the first of a document, none. Without a BOS a "
    "chunk's first token is read but not scored");
  f("last", last, {{"keep", LastChunk::keep}, {"drop", LastChunk::drop}},
    "whether a document's last chunk is kept where it is shorter than the others");
  f("max_tokens", max_tokens, Range{0, 1e15},
    "a document is cut after so many tokens, BOS not counted; 0: not");
  f("min_tokens", min_tokens, Range{0, 1e15},
    "shorter documents are left out (TOVA: books of 70,000 tokens)");
  // With a BOS before the first chunk alone, that one is a token shorter.
  f.require(stride < length - (bos == BosPolicy::document), "stride",
            "must be below length, or tokens would be left out");
  f.require(max_tokens == 0 || min_tokens <= max_tokens, "min_tokens", "must not be above max_tokens");
}

std::vector<Chunk> plan_chunks(int64_t tokens, const ChunkingOptions& options) {
  ensure(options.length >= 2, "chunks of at least two tokens, not {}", options.length);
  std::vector<Chunk> chunks;
  if (tokens < options.min_tokens) return chunks;
  const int64_t all = options.max_tokens > 0 ? std::min(tokens, options.max_tokens) : tokens;
  const bool overlap = options.stride > 0;
  int64_t done = 0;  // tokens before it are in some chunk
  for (int64_t begin = 0; done < all;) {
    const bool bos = options.bos == BosPolicy::chunk || (options.bos == BosPolicy::document && begin == 0);
    const int64_t end = std::min(all, begin + options.length - bos);
    const Chunk chunk{begin, end, bos, overlap ? done : 0};
    done = end;
    begin = overlap ? begin + options.stride : end;
    if (chunk.length() < options.length && options.last == LastChunk::drop) break;
    if (chunk.scored() > 0) chunks.push_back(chunk);
  }
  return chunks;
}

}  // namespace attnlab
