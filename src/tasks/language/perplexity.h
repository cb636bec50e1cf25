// Perplexity of texts under a pre-trained decoder with a bounded cache (Oren et al. 2024, §5): a document is
// cut into chunks, each is read alone, and every token that something precedes is scored. A chunk goes
// through the model layer by layer at once, which gives what reading it token by token gives.
#pragma once

#include "cache/cache_options.h"
#include "data/chunks.h"
#include "data/documents.h"
#include "tasks/model_folder.h"
#include "tasks/task.h"

namespace attnlab {

struct PerplexityOptions final : TaskOptions, PretrainedOptions {
  Choice<DocumentDataOptions> data;
  int64_t documents = 0;
  ChunkingOptions chunks;
  bool past_training = false;
  CacheOptions cache;
  bool baseline = false;
  int64_t batch_size = 1;
  int64_t slice = 0;
  int64_t position_ranges = 64;
  bool record_tokens = false;
  int64_t record_expiry = 0;

  void visit(Fields& f) override;
  std::vector<Table> tables() const override;
  std::vector<Headline> headlines() const override;
  std::vector<Input> inputs(const RunContext& context) const override;
  /// Resumes behind the last document that is recorded.
  void run(const RunContext& context, RecordSink& record) const override;

  /// How documents are cut, of which the longest has so many tokens: ids that were tokenised elsewhere are
  /// chunks as they stand; those of the baseline are as long as the cache would be.
  ChunkingOptions cut(int64_t longest_document) const;
  /// What the model's layers keep of chunks of so many tokens: everything, for the baseline.
  CacheOptions kept(int64_t longest_chunk) const;
};

}  // namespace attnlab
