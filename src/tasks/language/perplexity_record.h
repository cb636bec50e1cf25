// Tables and figures of a perplexity run: their columns, and the rows that go into them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/record.h"
#include "tasks/language/chunk_scorer.h"
#include "tasks/language/perplexity.h"
#include "tasks/language/perplexity_inputs.h"
#include "tasks/language/perplexity_progress.h"

namespace attnlab {

/// The tables that grow with the documents.
std::vector<std::string> growing_tables(const PerplexityOptions& options);

/// `curve`: the document's losses by position.
void record_document(const ScoredDocument& document, const PositionCurve& curve, RecordSink& record);
void record_tokens(int64_t document, const ChunkJob& job, const ScoredChunk& scored, RecordSink& record);
void record_expiry(int64_t document, const ChunkJob& job, const ScoredChunk& scored, RecordSink& record);
/// How many documents have no chunk longer than the cache of some layer: their losses are a full cache's, and
/// say nothing of the policy. Nothing where the cache is full, or the baseline's.
void record_never_full(const PerplexityOptions& options, const PerplexityInputs& inputs,
                       const PerplexityProgress& progress, RecordSink& record);
/// /eval/position, what was kept, and the figures under /summary.
void record_figures(const PerplexityOptions& options, const PerplexityProgress& progress, RecordSink& record);

}  // namespace attnlab
