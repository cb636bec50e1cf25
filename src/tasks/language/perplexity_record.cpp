#include "tasks/language/perplexity_record.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "core/log.h"
#include "tasks/language/perplexity_kept.h"

namespace attnlab {
namespace {

using Better = Summary::Better;
using Type = Column::Type;

Table token_table() {
  return {"/tokens",
          "every scored token",
          {{"document", Type::integer, "1", "index in the set"},
           {"chunk", Type::integer, "1", "index in the document"},
           {"position", Type::integer, "token", "in the chunk as the model reads it, from 0, BOS counted"},
           {"id", Type::integer, "1", "token id"},
           {"nll", Type::real, "nat", "negative log-probability"}}};
}

const Headline beyond_cache{
    "perplexity_beyond_cache", "1",
    "per token, pooled, at positions of a chunk from the size of the cache on: all before, and the "
    "first two of these, are read as with a full cache",
    Better::lower};

/// Whether chunks are, or documents of ids may be, read to positions at which a bounded cache is full.
bool goes_beyond(const PerplexityOptions& o) {
  return !o.baseline && !o.cache.policy->unbounded() && o.cache.share.empty() &&
         o.cache.budget == Budget::uniform && (o.data->holds_ids() || o.cache.size < o.chunks.length);
}

/// From the ranges of positions, where one of them begins at the size of the cache.
void record_beyond_cache(const PerplexityOptions& o, const PositionCurve& curve, int64_t documents,
                         RecordSink& record) {
  DocumentScore beyond;
  bool begins = false;
  for (const auto& range : curve.ranges()) {
    begins = begins || range.first == o.cache.size;
    if (range.first < o.cache.size) continue;
    beyond.nll += range.nll;
    beyond.tokens += range.tokens;
  }
  if (begins && beyond.tokens > 0)
    record.summarise(
        summary_of(beyond_cache, std::exp(beyond.nll / static_cast<double>(beyond.tokens)), documents));
}

/// States of the layer that keeps fewest; 0: every layer keeps all.
int64_t least_kept(const CacheOptions& cache, int64_t layers) {
  int64_t least = 0;
  for (const int64_t size : sizes_of_layers(cache, layers))
    if (size > 0 && (least == 0 || size < least)) least = size;
  return least;
}

int64_t longest_chunk_of(const ScoredDocument& document, const ChunkingOptions& cut) {
  int64_t longest = 0;
  for (const Chunk& chunk : plan_chunks(document.length, cut)) longest = std::max(longest, chunk.length());
  return longest;
}

std::vector<int64_t> counted(int64_t n) {
  std::vector<int64_t> numbers(static_cast<std::size_t>(n));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

}  // namespace

std::vector<Table> PerplexityOptions::tables() const {
  std::vector<Table> all = {
      {"/eval/test",
       "every document",
       {{"document", Type::integer, "1", "index in the set"},
        {"id", Type::text, "1", "the publisher's name of the document"},
        {"length", Type::integer, "token", "tokens of the whole document"},
        {"chunks", Type::integer, "1", "chunks that were read"},
        {"tokens", Type::integer, "token", "tokens scored"},
        {"bytes", Type::integer, "byte", "of the text that the scored tokens stand for, line ends as LF"},
        {"words", Type::integer, "1", "that begin in that text, split at white space"},
        {"nll", Type::real, "nat", "negative log-probability, sum over the scored tokens"},
        {"seconds", Type::real, "s", "time of the model, shared out over the documents of a batch"}}},
      {"/eval/position",
       "loss by position in the chunk",
       {{"first", Type::integer, "token", "first position of the range, BOS counted, from 0"},
        {"last", Type::integer, "token", "last position of the range"},
        {"tokens", Type::integer, "token", "tokens scored"},
        {"nll", Type::real, "nat", "sum over them"}}},
      {"/eval/test_position",
       "every document's loss by position in its chunks",
       {{"document", Type::integer, "1", "index in the set"},
        {"id", Type::text, "1", "the publisher's name of the document"},
        {"first", Type::integer, "token", "first position of the range, BOS counted, from 0"},
        {"tokens", Type::integer, "token", "tokens scored"},
        {"nll", Type::real, "nat", "sum over them"}}}};
  if (record_tokens) all.push_back(token_table());
  if (record_expiry > 0) std::ranges::move(kept_tables(), std::back_inserter(all));
  return all;
}

std::vector<Headline> PerplexityOptions::headlines() const {
  std::vector<Headline> all = {
      {"perplexity", "1", "per token, pooled: exp of the sum of losses over the number of scored tokens",
       Better::lower},
      {"perplexity_per_book", "1", "per token, mean over the documents' perplexities", Better::lower},
      {"word_perplexity", "1", "per word of the scored text, pooled", Better::lower},
      {"bits_per_byte", "bit", "bits per byte of the scored text, pooled", Better::lower},
      {"tokens_per_second", "token/s", "tokens read a second, scoring included", Better::higher},
      {"cache_bytes", "byte",
       "keys, values and what the policy keeps beside them, as allocated at the end of the longest chunk, a "
       "sequence",
       Better::lower},
  };
  if (goes_beyond(*this)) all.push_back(beyond_cache);
  if (record_expiry > 0) std::ranges::move(kept_headlines(), std::back_inserter(all));
  return all;
}

std::vector<std::string> growing_tables(const PerplexityOptions& o) {
  std::vector<std::string> paths = {"/eval/test", "/eval/test_position"};
  if (o.record_tokens) paths.emplace_back("/tokens");
  return paths;
}

void record_document(const ScoredDocument& d, const PositionCurve& curve, RecordSink& record) {
  const Value row[] = {d.index,       d.id,          d.length,    d.chunks, d.score.tokens,
                       d.score.bytes, d.score.words, d.score.nll, d.seconds};
  record.append("/eval/test", row);
  for (const auto& range : curve.ranges()) {
    if (range.tokens == 0) continue;
    const Value part[] = {d.index, d.id, range.first, range.tokens, range.nll};
    record.append("/eval/test_position", part);
  }
}

void record_never_full(const PerplexityOptions& o, const PerplexityInputs& in,
                       const PerplexityProgress& progress, RecordSink& record) {
  const int64_t least = least_kept(o.kept(in.longest_chunk), in.config.decoder.layers);
  if (least == 0) return;
  const auto all = static_cast<int64_t>(progress.documents.size());
  const int64_t never = std::ranges::count_if(
      progress.documents, [&](const ScoredDocument& d) { return longest_chunk_of(d, in.cut) <= least; });
  record.summarise({"documents_never_full", static_cast<double>(never), "1",
                    "documents that never filled the cache, so that nothing of them was dropped",
                    Better::neither, all, 0.0});
  if (never > 0)
    log_info("{} of {} documents never filled a cache of {} states: nothing of them was dropped", never, all,
             least);
}

void record_tokens(int64_t document, const ChunkJob& job, const ScoredChunk& scored, RecordSink& record) {
  for (auto i = static_cast<std::size_t>(job.unscored); i < scored.nll.size(); ++i) {
    const Value row[] = {document, job.number, static_cast<int64_t>(i) + 1, job.ids[i + 1], scored.nll[i]};
    record.append("/tokens", row);
  }
}

void record_expiry(int64_t document, const ChunkJob& job, const ScoredChunk& scored, RecordSink& record) {
  const auto& [layers, expiry_LGT] = stacked_expiry(scored);
  if (layers.empty()) return;
  const auto* values = expiry_LGT.const_data_ptr<int64_t>();
  record.store(
      {fmt::format("/cache/document_{}/chunk_{}", document, job.number),
       "expiry",
       "token",
       "position in the chunk of the last token that could attend to each token; -1 where it was "
       "kept to the end",
       {{"layer", "1", "from 0; layers that keep all tokens are left out", layers},
        {"group", "1", "key-value head where heads decide apart, else 0", counted(expiry_LGT.size(1))},
        {"token", "1",
         "token id at each position of the chunk as the model reads it; the index is the position, "
         "from 0, BOS counted",
         job.ids}},
       {values, values + expiry_LGT.numel()}});
}

void record_figures(const PerplexityOptions& o, const PerplexityProgress& progress, RecordSink& record) {
  record.truncate("/eval/position", 0);
  for (const auto& range : progress.curve.ranges()) {
    const Value row[] = {range.first, range.last, range.tokens, range.nll};
    record.append("/eval/position", row);
  }
  const auto scores = progress.scores();
  const auto n = static_cast<int64_t>(scores.size());
  const DocumentFigure figures[] = {
      pooled_perplexity(scores),
      mean_document_perplexity(scores),
      word_perplexity(scores),
      bits_per_byte(scores),
      {static_cast<double>(progress.tokens_read) / progress.seconds, Summary::unknown, n},
      {static_cast<double>(progress.cache_bytes), Summary::unknown, n}};
  const std::vector<Headline> headlines = o.headlines();
  for (std::size_t i = 0; i < std::size(figures); ++i) {
    if (std::isnan(figures[i].value)) continue;  // per word and byte, of ids without a tokenizer
    record.summarise(summary_of(headlines[i], figures[i].value, figures[i].n, figures[i].standard_error));
  }
  if (goes_beyond(o)) record_beyond_cache(o, progress.curve, n, record);
  int64_t scored = 0;
  for (const DocumentScore& d : scores) scored += d.tokens;
  record.summarise(
      {"scored_tokens", static_cast<double>(scored), "token", "tokens scored", Better::neither, n, 0.0});
  if (o.record_expiry > 0) record_kept(progress.kept, record);
}

}  // namespace attnlab
