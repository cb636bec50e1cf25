// QASPER (Dasigi et al. 2021, arXiv 2105.03011): questions about papers on language processing, answered in a
// phrase, "yes", "no" or "unanswerable", compared by token F1.
#pragma once

#include "tasks/generation/benchmarks/benchmark.h"

namespace attnlab {

/// official: the publishers' v0.3 files with all annotations as references. subset: a file of that layout
/// with fewer papers (L-Eval's twenty). longbench: the 200 test questions of LongBench (Bai et al. 2023).
enum class QasperSource { official, subset, longbench };
enum class QasperPrompt { tova, zeroscrolls, longbench };

/// Token F1 by SQuAD's rules, the best of the references, mean over the questions, as QASPER's official
/// evaluator has it; every question is asked, so none is missing. By-type means take the type of the
/// reference that won, the first on ties. LongBench's questions and words are a protocol of their own, whose
/// figures have their own name, longbench_f1. A subset is the official protocol over fewer questions.
struct QasperOptions final : BenchmarkOptions {
  QasperSource source = QasperSource::official;
  Split split = Split::test;
  QasperPrompt prompt = QasperPrompt::tova;

  void visit(Fields& f) override;
  std::vector<Input> inputs(const DataPlace& place) const override;
  std::shared_ptr<QuestionSet> open(const DataPlace& place, const Tokenizer& tokenizer,
                                    int64_t template_tokens) const override;
  std::string which() const override { return std::string(name_of(split)); }
  PromptFrame frame(const Question& question) const override;
  Cut cut() const override { return prompt == QasperPrompt::longbench ? Cut::middle : Cut::end; }
  int64_t new_tokens() const override { return 128; }
  std::vector<Column> scores() const override;
  std::vector<double> score(const Question& question, const std::string& answer) const override;
  std::vector<Headline> figures() const override;
  /// Name of the score over all questions.
  std::string headline() const;
};

}  // namespace attnlab
