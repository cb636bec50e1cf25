// Tables and figures of a question answering run.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/record.h"
#include "tasks/generation/answerer.h"
#include "tasks/generation/question_answering.h"

namespace attnlab {

/// What is done so far: enough for the figures, and to go on behind it.
struct QuestionProgress {
  int64_t next = 0;  ///< documents before it are done
  std::vector<std::string> questions;
  ScoreRows scores;  ///< by question
  int64_t cut = 0, read_tokens = 0, new_tokens = 0, cache_bytes = 0;
  int64_t seen = 0, unseen = 0;  ///< questions that were, or were not, visible when states were dropped
  double read_seconds = 0, answer_seconds = 0;
  /// Of documents with a beginning that is read once: that beginning and all answers; and all that they took.
  double least_seconds = 0, sharing_seconds = 0;

  nlohmann::json to_json() const;
  static QuestionProgress from_json(const nlohmann::json& done);
};

/// Scores a document's answers, which a model of so many layers gave, writes their rows, and adds them to the
/// progress.
void take_document(const QuestionAnsweringOptions& options, int64_t layers, const QuestionDocument& document,
                   int64_t index, std::span<const QuestionPrompt> prompts, const AnsweredDocument& answered,
                   QuestionProgress& progress, RecordSink& record);
/// /shares, and the figures under /summary.
void record_figures(const QuestionAnsweringOptions& options, const QuestionProgress& progress,
                    RecordSink& record);

}  // namespace attnlab
