// Answers to questions about long documents, from a pre-trained decoder with a bounded cache (Oren et al.
// 2024, §5): SQuALITY, QASPER and their like. A document is read once, up to where its questions' prompts
// differ, and each question is asked of a copy of what the layers remember; the answers are those of prompts
// that are read one by one.
#pragma once

#include "cache/cache_options.h"
#include "data/chat_template.h"
#include "tasks/generation/benchmarks/benchmark.h"
#include "tasks/model_folder.h"
#include "tasks/task.h"

namespace attnlab {

struct QuestionAnsweringOptions final : TaskOptions, PretrainedOptions {
  Choice<BenchmarkOptions> benchmark;
  int64_t documents = 0;
  std::string chat = "none";
  int64_t length = 4096;
  int64_t max_new_tokens = 0;
  bool past_training = false;
  CacheOptions cache;
  bool baseline = false;
  int64_t batch_size = 8;
  bool share_document = true;

  void visit(Fields& f) override;
  std::vector<Table> tables() const override;
  std::vector<Headline> headlines() const override;
  std::vector<Input> inputs(const RunContext& context) const override;
  /// Resumes behind the last document whose questions are all answered.
  void run(const RunContext& context, RecordSink& record) const override;

  /// Tokens that a prompt may have: `length`, or of the baseline as many as the cache would hold.
  int64_t most_tokens() const;
  int64_t new_tokens() const { return max_new_tokens > 0 ? max_new_tokens : benchmark->new_tokens(); }
  /// What the layers keep: everything, for the baseline.
  CacheOptions kept() const { return baseline ? CacheOptions() : cache.of_text(length); }
};

/// Whether a question had been read when states of its document were dropped.
enum class QuestionVisible { no, yes, nothing_dropped };
std::string name_of(QuestionVisible visible);
/// With these caches in so many layers, of a prompt of so many tokens. Of pieces the last dropping alone has
/// seen the question, unless the whole prompt is one.
QuestionVisible question_visible(const CacheOptions& cache, int64_t layers, int64_t prompt_tokens);

}  // namespace attnlab
