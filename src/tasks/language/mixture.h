// Two tasks in one training of a language model: running text, and answers to questions about documents
// (what the research directions of TOVA call language modelling and summarisation mixed).
#pragma once

#include <array>
#include <cstdint>

#include "core/options.h"
#include "tasks/generation/benchmarks/benchmark.h"
#include "tasks/language/learned_tokens.h"
#include "train/train.h"

namespace attnlab {

struct MixtureOptions {
  double text = 1, answers = 1;
  Choice<BenchmarkOptions> questions, held_out;
  int64_t longest_answer = 0;
  int64_t validation_answers = 128;

  void visit(Fields& f);
  std::array<double, 2> weights() const { return {text, answers}; }
  /// Whether both are the same questions, in whichever words.
  bool holds_nothing_out() const;
};

/// Which task each micro-batch is of, and how many micro-batches of that task came before it. A function of
/// the seed and m alone, so that a resumed, accumulated or shared training draws the same.
class TaskDraws {
 public:
  TaskDraws(std::array<double, 2> weights, uint64_t seed) : weights_(weights), seed_(seed) {}

  struct Draw {
    size_t task = 0;
    int64_t batch = 0;
  };
  Draw draw(int64_t m);

 private:
  size_t task_of(int64_t m) const;

  std::array<double, 2> weights_;
  uint64_t seed_;
  int64_t counted_ = 0;  ///< micro-batches, from the first on
  std::array<int64_t, 2> before_{};
};

/// Micro-batches of both tasks, or of one alone.
class MixedTasks final : public LearnedTokensSource {
 public:
  MixedTasks(std::array<double, 2> weights, LearnedTokensSource& text, LearnedTokensSource* answers,
             uint64_t seed);
  /// As many as on average take all text once; without text, all answers.
  int64_t batches_per_epoch() const override;
  LearnedTokens batch(int64_t m) override;
  /// How much a micro-batch counts in an update. Of two tasks each alike, however many tokens are learned of
  /// it, for the weights are those of the tasks' mean losses; of text each holds as many as another; of
  /// answers alone, the tokens that are learned.
  double weight_of(const LearnedTokens& tokens) const;

 private:
  std::array<double, 2> weights_;
  std::array<LearnedTokensSource*, 2> sources_;
  TaskDraws draws_;
};

/// The figure that selects: the geometric mean of both perplexities by the mixture's weights. Those of the
/// tasks stand beside it, in the order of mixture_figures().
Validation validation_of_both(const MixtureOptions& options, const Validation& text,
                              const Validation& answers);
std::vector<Headline> mixture_figures();

}  // namespace attnlab
