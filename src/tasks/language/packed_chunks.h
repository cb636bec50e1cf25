// Running text as a language model is trained on it: a corpus end to end, cut into chunks ("packing").
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "data/token_corpus.h"
#include "tasks/language/learned_tokens.h"

namespace attnlab {

/// Tokens [first, first + count] of a corpus, of which all but the first are predicted; with `bos` that
/// stands in place of the first.
std::vector<int64_t> chunk_of(const TokenCorpus& corpus, int64_t first, int64_t count,
                              std::optional<int64_t> bos);

/// Chunks of context + 1 tokens, which overlap by the one that is only predicted. Every epoch cuts at another
/// offset and takes the chunks in another order.
class PackedChunks final : public LearnedTokensSource {
 public:
  PackedChunks(const TokenCorpus& corpus, int64_t context, int64_t batch, std::optional<int64_t> bos,
               uint64_t seed);

  int64_t batches_per_epoch() const override { return chunks_ / batch_; }
  LearnedTokens batch(int64_t m) override;

 private:
  void plan(int64_t epoch);

  const TokenCorpus& corpus_;
  int64_t context_, batch_, chunks_ = 0, planned_ = -1, offset_ = 0;
  std::optional<int64_t> bos_;
  uint64_t seed_;
  std::vector<int64_t> order_;
};

}  // namespace attnlab
