#include "tasks/language/mixture.h"

#include <cmath>

#include "core/error.h"
#include "core/random.h"

namespace attnlab {

void MixtureOptions::visit(Fields& f) {
  f("text", text, Range{0, 1e9},
    "weight of `data`'s running text: every micro-batch draws its task by weight");
  f("answers", answers, Range{0, 1e9},
    "weight of answers to questions, of which the answer's tokens alone are learned; 0: validation reads "
    "them, training does not");
  f.require(text + answers > 0, "text", "is 0, and so is `answers`: there would be nothing to learn");
  f("questions", questions,
    "whose questions, in which words; a document loses its end where prompt and answer do not fit into "
    "`context`");
  f("held_out", held_out, "questions held out of training, whose answers validation reads");
  f("longest_answer", longest_answer, Range{0, 1 << 20},
    "answers of more tokens are left out of training and validation, where they would leave too little of "
    "`context` to the document; 0: none are, and one that leaves nothing is refused");
  f("validation_answers", validation_answers, Range{1, 1e9},
    "validate on the first N answers; the first references of all questions come first");
}

bool MixtureOptions::holds_nothing_out() const {
  return questions.name() == held_out.name() && questions->which() == held_out->which();
}

size_t TaskDraws::task_of(int64_t m) const {
  const double all = weights_[0] + weights_[1];
  return Random(derive_seed(seed_, "mixture", static_cast<uint64_t>(m))).uniform() * all < weights_[0] ? 0
                                                                                                       : 1;
}

TaskDraws::Draw TaskDraws::draw(int64_t m) {
  if (m < counted_) {
    counted_ = 0;
    before_ = {};
  }
  for (; counted_ < m; ++counted_) ++before_[task_of(counted_)];
  const size_t task = task_of(m);
  return {task, before_[task]};
}

MixedTasks::MixedTasks(std::array<double, 2> weights, LearnedTokensSource& text, LearnedTokensSource* answers,
                       uint64_t seed)
    : weights_(weights), sources_{&text, answers}, draws_(weights, seed) {
  ensure(answers || weights[1] == 0, "answers for a mixture that has some");
}

int64_t MixedTasks::batches_per_epoch() const {
  if (weights_[0] == 0) return sources_[1]->batches_per_epoch();
  const auto text = static_cast<double>(sources_[0]->batches_per_epoch());
  return static_cast<int64_t>(std::ceil(text * (weights_[0] + weights_[1]) / weights_[0]));
}

LearnedTokens MixedTasks::batch(int64_t m) {
  const auto [task, batch] = draws_.draw(m);
  return sources_[task]->batch(batch);
}

double MixedTasks::weight_of(const LearnedTokens& tokens) const {
  const bool answers_alone = weights_[0] == 0;
  return answers_alone ? static_cast<double>(tokens.learned_N.size(0)) : 1;
}

Validation validation_of_both(const MixtureOptions& options, const Validation& text,
                              const Validation& answers) {
  const double all = options.text + options.answers;
  const double of_text = options.text / all, of_answers = options.answers / all;
  const double loss = of_text * text.loss + of_answers * answers.loss;
  // What has no weight adds no error, not even one that is unknown.
  const auto part = [](double weight, const Validation& task) {
    return weight > 0 ? weight * task.standard_error / task.value : 0.0;
  };
  const double error = std::hypot(part(of_text, text), part(of_answers, answers));
  const std::vector<Headline> figures = mixture_figures();
  return {std::exp(loss),
          std::exp(loss) * error,
          loss,
          text.n + answers.n,
          {{figures[0].name, text.value}, {figures[1].name, answers.value}}};
}

std::vector<Headline> mixture_figures() {
  return {{"perplexity_text", "1", "per token of running text held out of training", Summary::Better::lower},
          {"perplexity_answers", "1", "per token of answers to questions held out of training",
           Summary::Better::lower}};
}

}  // namespace attnlab
