// A benchmark of answers: whose questions, in which words a model is asked, and what its answers are
// measured by. Where one set of questions has several customs, each is an option with a name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/options.h"
#include "core/record.h"
#include "data/questions.h"
#include "data/tokenizer.h"
#include "tasks/task.h"

namespace attnlab {

/// The words around a document.
struct PromptFrame {
  std::string before, after;
  std::string omitted = {};  ///< stands between a document that was cut and `after`
  std::string answer = {};   ///< the beginning of the answer, behind whatever a chat format puts there
};

/// What goes where a prompt is too long.
enum class Cut {
  end,     ///< the document's end (ZeroSCROLLS; Oren et al. 2024)
  middle,  ///< the middle of the whole prompt, its first and last tokens decoded and encoded anew (LongBench)
  refused  ///< nothing: questions are made to fit
};

/// Numbers by question, the same ones of each.
using ScoreRows = std::vector<std::vector<double>>;

struct BenchmarkOptions : Component {
  /// The file that is read, for its checksum; empty: the questions are made from the options.
  virtual std::vector<Input> inputs(const DataPlace& place) const = 0;
  /// Throws UserError where it is missing or is not what it should be. Questions that are made to fit a
  /// length are counted with the tokenizer, and leave room for the tokens of a chat format.
  virtual std::shared_ptr<QuestionSet> open(const DataPlace& place, const Tokenizer& tokenizer,
                                            int64_t template_tokens) const = 0;
  /// Which of the benchmark's questions they are, whatever the words they are asked in and how many are
  /// asked.
  virtual std::string which() const = 0;
  virtual PromptFrame frame(const Question& question) const = 0;
  virtual Cut cut() const { return Cut::end; }
  /// Tokens of an answer at most, as published.
  virtual int64_t new_tokens() const = 0;

  /// What every answer is measured by; each is recorded with it. NaN where one does not apply.
  virtual std::vector<Column> scores() const = 0;
  virtual std::vector<double> score(const Question& question, const std::string& answer) const = 0;
  /// The figures, the first one before all others.
  virtual std::vector<Headline> figures() const = 0;
  /// By question and figure: numbers whose mean over the questions is the figure, NaN where a question does
  /// not count. Figures that are no means are written so by their derivatives (the delta method), so that
  /// standard errors and paired differences need no other rule.
  virtual ScoreRows shares(const ScoreRows& scores) const { return scores; }
};

template <>
const std::vector<Entry<BenchmarkOptions>>& registry<BenchmarkOptions>();

}  // namespace attnlab
