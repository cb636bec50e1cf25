// RULER's needles in a haystack (Hsieh et al. 2024, arXiv 2404.06654): the known weakness of caches that drop
// what is not asked for yet.
#pragma once

#include "data/needles.h"
#include "tasks/generation/benchmarks/benchmark.h"

namespace attnlab {

/// Score: the share of references that are found in the lower-cased answer. Whether the question was visible
/// when states were dropped decides what is measured: scores of the two are of different experiments.
struct RulerOptions final : BenchmarkOptions {
  NeedleOptions needles;

  void visit(Fields& f) override { needles.visit(f); }
  std::vector<Input> inputs(const DataPlace& place) const override;
  std::shared_ptr<QuestionSet> open(const DataPlace& place, const Tokenizer& tokenizer,
                                    int64_t template_tokens) const override;
  std::string which() const override { return fmt::format("seed {}", needles.seed); }
  PromptFrame frame(const Question& question) const override;
  Cut cut() const override { return Cut::refused; }
  int64_t new_tokens() const override { return needle_answer_tokens; }
  std::vector<Column> scores() const override;
  std::vector<double> score(const Question& question, const std::string& answer) const override;
  std::vector<Headline> figures() const override;
};

}  // namespace attnlab
