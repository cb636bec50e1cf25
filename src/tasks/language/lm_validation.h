// What training of a language model is validated by: perplexity on texts that are held out of it, and where
// answers are learned as well on these.
#pragma once

#include <optional>
#include <vector>

#include "data/token_corpus.h"
#include "tasks/language/answer_texts.h"
#include "tasks/language/lm_losses.h"
#include "tasks/language/train_lm.h"
#include "train/train.h"

namespace attnlab {

struct HeldOutTasks {
  const TokenCorpus& text;
  std::optional<int64_t> bos;  ///< with which chunks of it begin
  const AnswerTexts* answers = nullptr;
};

/// What each task came to; without answers there is one.
struct TaskValidations {
  Validation text;
  std::optional<Validation> answers = {};
  std::vector<ScoredAnswers> answered = {};  ///< what it is of
};
TaskValidations validate_tasks(const LmLosses& losses, const HeldOutTasks& held_out,
                               const TrainLmOptions& options, torch::Device device);
/// As one, by which weights are chosen.
Validation as_one(const TaskValidations& tasks, const MixtureOptions& mixture);

}  // namespace attnlab
