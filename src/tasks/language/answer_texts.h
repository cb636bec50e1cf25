// Questions about documents as texts whose ends a language model learns: the prompt that the benchmark asks
// with, one reference answer behind it, EOS. Of the prompt nothing is learned.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "metrics/perplexity.h"
#include "tasks/generation/benchmarks/benchmark.h"
#include "tasks/generation/prompts.h"
#include "tasks/language/learned_tokens.h"
#include "tasks/language/lm_losses.h"
#include "train/train.h"

namespace attnlab {

/// Every reference of every question is a text of its own; first come the first references of all questions,
/// then the second ones.
class AnswerTexts {
 public:
  /// Texts of at most context + 1 tokens, of which all but the last are read: documents lose their ends to
  /// fit. Answers of more than `longest_answer` tokens are left out, which is said; 0: none are. Throws
  /// UserError where an answer and the words around a document leave no room for it, or no answer is left.
  AnswerTexts(std::shared_ptr<BenchmarkOptions> benchmark, const DataPlace& place, const Tokenizer& tokenizer,
              bool with_bos, int64_t context, int64_t longest_answer = 0);

  struct Text {
    std::vector<int64_t> ids;
    int64_t learned = 0;  ///< of them, at the end
  };
  int64_t size() const { return static_cast<int64_t>(places_.size()); }
  /// Encoded when it is first asked for.
  const Text& text(int64_t i) const;
  int64_t document(int64_t i) const { return places_[static_cast<size_t>(i)].document; }
  /// The publisher's name of the document.
  const std::string& document_id(int64_t i) const { return places_[static_cast<size_t>(i)].id; }

 private:
  struct Place {
    int64_t document = 0;
    size_t question = 0, reference = 0;
    std::string id;
  };
  PromptFrame answered(const Question& question, size_t reference) const;
  /// Tokens of the answer alone, without EOS.
  std::vector<int64_t> answer_ids(const Question& question, size_t reference) const;
  void list_places(int64_t longest_answer);
  void require_room_for_all() const;
  Text encode(const Place& place) const;

  std::shared_ptr<BenchmarkOptions> benchmark_;
  std::string origin_;  ///< the questions', for messages
  PromptRule rule_;
  std::shared_ptr<QuestionSet> documents_;
  std::vector<Place> places_;
  mutable std::vector<std::optional<Text>> texts_;
};

/// Batches of them; every epoch takes all in another order.
class AnswerBatches final : public LearnedTokensSource {
 public:
  AnswerBatches(const AnswerTexts& texts, int64_t batch, uint64_t seed);
  int64_t batches_per_epoch() const override { return texts_.size() / batch_; }
  LearnedTokens batch(int64_t m) override;

 private:
  const AnswerTexts& texts_;
  int64_t batch_, planned_ = -1;
  uint64_t seed_;
  std::vector<int64_t> order_;
};

/// What a model made of the answers to one document's questions.
struct ScoredAnswers {
  std::string id;
  DocumentScore score;
};
/// Over the first `most` texts, in the order of the documents.
std::vector<ScoredAnswers> score_answers(const LmLosses& losses, const AnswerTexts& texts, int64_t most,
                                         torch::Device device);
/// exp of the mean NLL over all of their tokens; the standard error is over documents.
Validation validation_of(const std::vector<ScoredAnswers>& answered);

}  // namespace attnlab
