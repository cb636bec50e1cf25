// SQuALITY (Wang et al. 2022, arXiv 2205.11465): five questions a story, four summaries a question as
// references, compared by ROUGE.
#pragma once

#include "tasks/generation/benchmarks/benchmark.h"

namespace attnlab {

enum class SqualityPrompt { tova, zeroscrolls };

/// Two customs of ROUGE stand side by side, each under its own name. `rouge1`, `rouge2`, `rougeL` and their
/// geometric mean: package rouge_score without stemmer, of each kind the best reference, mean over the
/// questions (Shaham et al. 2023, ZeroSCROLLS; Oren et al. 2024). `stemmed_…`: with its stemmer, as
/// SQuALITY's own code has it, whose mean is over bootstrap samples and therefore wanders in the second
/// decimal: here it is plain.
struct SqualityOptions final : BenchmarkOptions {
  Split split = Split::validation;
  SqualityPrompt prompt = SqualityPrompt::tova;

  void visit(Fields& f) override;
  std::vector<Input> inputs(const DataPlace& place) const override;
  std::shared_ptr<QuestionSet> open(const DataPlace& place, const Tokenizer& tokenizer,
                                    int64_t template_tokens) const override;
  std::string which() const override { return std::string(name_of(split)); }
  PromptFrame frame(const Question& question) const override;
  int64_t new_tokens() const override { return 512; }
  std::vector<Column> scores() const override;
  std::vector<double> score(const Question& question, const std::string& answer) const override;
  std::vector<Headline> figures() const override;
  ScoreRows shares(const ScoreRows& scores) const override;
};

/// By question, numbers whose mean is the geometric mean of the columns' means: G + G/n · Σ_j (s_ij / S_j −
/// 1) for n columns; 0 where a mean is. Standard errors from them are those of the delta method.
std::vector<double> geometric_shares(const ScoreRows& scores, std::size_t first, std::size_t count);

}  // namespace attnlab
