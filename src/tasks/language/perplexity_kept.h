// What a perplexity run with record_expiry says of the tokens that its cache kept: tables and figures.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/record.h"
#include "data/tokenizer.h"
#include "metrics/kept_tokens.h"
#include "tasks/language/chunk_scorer.h"
#include "tasks/language/perplexity_inputs.h"

namespace attnlab {

std::vector<Table> kept_tables();
std::vector<Headline> kept_headlines();

/// Expiry of the layers that drop tokens, int64 [layers, groups, length].
struct StackedExpiry {
  std::vector<int64_t> layers;  ///< their numbers
  torch::Tensor expiry_LGT;     ///< undefined without any
};
StackedExpiry stacked_expiry(const ScoredChunk& scored);

/// Nothing where all layers keep all tokens. Without a tokenizer tokens have no classes.
std::optional<KeptChunk> kept_of(const ChunkJob& job, const ScoredChunk& scored, const Tokenizer* tokenizer);

/// /kept/layers, /kept/classes and the figures under /summary, of all recorded chunks; nothing without any.
void record_kept(std::span<const KeptChunk> chunks, RecordSink& record);

}  // namespace attnlab
