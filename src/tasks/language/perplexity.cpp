#include "tasks/language/perplexity.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "core/random.h"
#include "io/hf_folder.h"
#include "tasks/language/chunk_scorer.h"
#include "tasks/language/perplexity_inputs.h"
#include "tasks/language/perplexity_kept.h"
#include "tasks/language/perplexity_progress.h"
#include "tasks/language/perplexity_record.h"

namespace attnlab {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kBetweenSaves = std::chrono::seconds(2);  // short documents are not worth a flush each

void record_identity(const PerplexityInputs& in, RecordSink& record) {
  record_checksums(in.identity, record);
  record.attribute("vocabulary", in.config.decoder.vocabulary);
  if (!in.config.stored_as.empty()) record.attribute("weights_stored_as", in.config.stored_as);
  record.attribute("documents_in_set", in.documents->size());
}

ChunkScorer make_scorer(const PerplexityOptions& o, const PerplexityInputs& in, const RunContext& context,
                        RecordSink& record) {
  const HfModel model = load_hf_folder(in.folder, {.type = type_of(o.precision), .device = context.device});
  const int64_t parameters = parameter_count(model.config.decoder);
  record.summarise({"parameters", static_cast<double>(parameters), "1", "weights of the model",
                    Summary::Better::neither, 1, 0.0});
  log_info("{} of {} documents; {} parameters, {}", in.count, in.documents->size(), parameters,
           torch::toString(model.decoder->tensors().dtype().toScalarType()));
  return {model.decoder, o.kept(in.longest_chunk), in.protected_ids, o.slice,
          derive_seed(context.seed, "policy")};
}

void tell(const PerplexityProgress& progress, const DocumentScore& current, int64_t count) {
  DocumentScore all = current;
  for (const ScoredDocument& d : progress.documents) {
    all.nll += d.score.nll;
    all.tokens += d.score.tokens;
  }
  log_progress(fmt::format("{} of {} documents, {} tokens read, {:.0f} tokens/s, perplexity {:.4f}",
                           progress.documents.size(), count, progress.tokens_read,
                           static_cast<double>(progress.tokens_read) / progress.seconds,
                           std::exp(all.nll / static_cast<double>(all.tokens))));
}

/// When each token of the chunk was dropped, into the record and into the sums.
void take_expiry(int64_t document, const ChunkJob& job, const ScoredChunk& scored, const PerplexityInputs& in,
                 PerplexityProgress& progress, RecordSink& record) {
  record_expiry(document, job, scored, record);
  if (auto kept = kept_of(job, scored, in.tokenizer ? &*in.tokenizer : nullptr))
    progress.kept.push_back(std::move(*kept));
}

/// Adds a chunk's losses to its document, that one's curve and the record.
void take(const PerplexityOptions& o, const PerplexityInputs& in, const ChunkJob& job,
          const ScoredChunk& scored, ScoredDocument& document, PositionCurve& curve,
          PerplexityProgress& progress, RecordSink& record) {
  document.score.tokens += static_cast<int64_t>(scored.nll.size()) - job.unscored;
  document.score.bytes += job.counts.bytes;
  document.score.words += job.counts.words;
  for (auto i = static_cast<std::size_t>(job.unscored); i < scored.nll.size(); ++i) {
    if (!std::isfinite(scored.nll[i]))
      run_error("the loss is {} at token {} of chunk {} of {}: the weights or their type do not serve",
                scored.nll[i], i + 1, job.number, document.id);
    document.score.nll += scored.nll[i];
    curve.add(static_cast<int64_t>(i) + 1, scored.nll[i]);
  }
  if (o.record_tokens) record_tokens(document.index, job, scored, record);
  if (progress.chunks_done++ < o.record_expiry)
    take_expiry(document.index, job, scored, in, progress, record);
}

/// Scores a group's chunks, batch by batch, and records its documents.
void score_group(const PerplexityOptions& o, const PerplexityInputs& in, const ChunkGroup& group,
                 ChunkScorer& scorer, PerplexityProgress& progress, RecordSink& record) {
  std::vector<ScoredDocument> documents;
  for (const DocumentJob& d : group.documents)
    documents.push_back({d.index, d.id, d.length, d.chunks, {}, 0});
  std::vector<PositionCurve> curves(documents.size(), PositionCurve(in.longest_chunk, o.position_ranges));
  const auto most = static_cast<std::size_t>(o.batch_size);
  for (std::size_t begin = 0; begin < group.chunks.size(); begin += most) {
    const auto jobs = std::span(group.chunks).subspan(begin, std::min(most, group.chunks.size() - begin));
    std::vector<std::vector<int64_t>> ids;
    int64_t tokens = 0;
    for (const ChunkJob& job : jobs) {
      ids.push_back(job.ids);
      tokens += static_cast<int64_t>(job.ids.size());
    }
    const ScoredBatch batch = scorer.score(ids, progress.chunks_done < o.record_expiry);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      ScoredDocument& document = documents[jobs[i].document];
      document.seconds +=
          batch.seconds * static_cast<double>(jobs[i].ids.size()) / static_cast<double>(tokens);
      take(o, in, jobs[i], batch.chunks[i], document, curves[jobs[i].document], progress, record);
    }
    progress.seconds += batch.seconds;
    progress.tokens_read += tokens;
    progress.cache_bytes = std::max(progress.cache_bytes, batch.cache_bytes);
    tell(progress, documents[jobs.back().document].score, in.count);
  }
  for (std::size_t i = 0; i < documents.size(); ++i) {
    record_document(documents[i], curves[i], record);
    progress.curve.add(curves[i]);
    progress.documents.push_back(documents[i]);
  }
}

}  // namespace

void PerplexityOptions::run(const RunContext& context, RecordSink& record) const {
  refuse_init_from(context, "perplexity");
  const PerplexityInputs in = open_inputs(*this, context);
  const ProgressFile file(context.folder / "checkpoint" / "perplexity.json", in.identity,
                          growing_tables(*this));
  auto progress = PerplexityProgress::open(file, PositionCurve(in.longest_chunk, position_ranges), record);
  if (progress.next > 0) log_info("{} documents are done already", progress.next);
  record_identity(in, record);
  ChunkScorer scorer = make_scorer(*this, in, context, record);
  Clock::time_point saved{};
  while (progress.next < in.count) {
    const ChunkGroup group = next_group(*this, in, progress.next);
    if (group.documents.empty()) continue;
    score_group(*this, in, group, scorer, progress, record);
    if (Clock::now() - saved < kBetweenSaves && progress.next < in.count) continue;
    progress.save(file, record);
    saved = Clock::now();
  }
  if (progress.documents.empty())
    user_error("none of the {} documents has a chunk to score: see chunks.min_tokens and chunks.last",
               in.count);
  record_figures(*this, progress, record);
  record_never_full(*this, in, progress, record);
  record.flush();
}

}  // namespace attnlab
