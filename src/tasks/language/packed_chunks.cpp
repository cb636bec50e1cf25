#include "tasks/language/packed_chunks.h"

#include <numeric>

#include "core/error.h"
#include "core/random.h"

namespace attnlab {

std::vector<int64_t> chunk_of(const TokenCorpus& corpus, int64_t first, int64_t count,
                              std::optional<int64_t> bos) {
  std::vector<int64_t> ids = corpus.slice(first, count + 1);
  if (bos) ids.front() = *bos;
  return ids;
}

PackedChunks::PackedChunks(const TokenCorpus& corpus, int64_t context, int64_t batch,
                           std::optional<int64_t> bos, uint64_t seed)
    : corpus_(corpus), context_(context), batch_(batch), bos_(bos), seed_(seed) {
  // The offset of an epoch takes up to one chunk away.
  chunks_ = (corpus.size() - 1) / context - 1;
  if (chunks_ < batch)
    user_error("data: {} tokens are too few for one batch of {} chunks of {}", corpus.size(), batch, context);
}

LearnedTokens PackedChunks::batch(int64_t m) {
  plan(m / batches_per_epoch());
  const int64_t first = m % batches_per_epoch() * batch_;
  std::vector<std::vector<int64_t>> rows;
  for (int64_t i = first; i < first + batch_; ++i)
    rows.push_back(chunk_of(corpus_, offset_ + order_[static_cast<size_t>(i)] * context_, context_, bos_));
  return all_learned(rows);
}

void PackedChunks::plan(int64_t epoch) {
  if (epoch == planned_) return;
  Random random(derive_seed(seed_, "packing", static_cast<uint64_t>(epoch)));
  offset_ = static_cast<int64_t>(random.below(static_cast<uint64_t>(context_)));
  order_.resize(static_cast<size_t>(chunks_));
  std::iota(order_.begin(), order_.end(), 0);
  shuffle(std::span(order_), random);
  planned_ = epoch;
}

}  // namespace attnlab
