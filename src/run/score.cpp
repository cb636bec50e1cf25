// attnlab score: predictions of anybody's making against references, with the protocol beside the figures.
#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_text.h"
#include "core/output.h"
#include "metrics/rouge.h"
#include "metrics/signature.h"
#include "metrics/statistics.h"
#include "metrics/token_f1.h"
#include "run/commands.h"
#include "run/exit.h"
#include "run/score_examples.h"
#include "run/score_translation.h"

namespace attnlab {
namespace {

using nlohmann::ordered_json;
using Examples = std::vector<ScoredExample>;

ordered_json told(const RougeScore& s) {
  return {{"f", s.f}, {"precision", s.precision}, {"recall", s.recall}};
}

/// Means over examples, and over the F of rouge1, rouge2 and rougeL the geometric mean that ZeroSCROLLS and
/// TOVA print.
ordered_json summary_of(const std::vector<RougeScores>& scores) {
  ordered_json all;
  double product = 1;
  for (std::size_t i = 0; i < rouge_names.size(); ++i) {
    RougeScore mean;
    std::vector<double> f;
    for (const RougeScores& one : scores) {
      const auto n = static_cast<double>(scores.size());
      mean.precision += one[i].precision / n;
      mean.recall += one[i].recall / n;
      f.push_back(one[i].f);
    }
    const Spread over = spread(f);
    mean.f = over.mean;
    all[rouge_names[i]] = told(mean);
    if (std::isfinite(over.standard_error)) all[rouge_names[i]]["f_standard_error"] = over.standard_error;
    if (i <= static_cast<std::size_t>(Rouge::l)) product *= mean.f;
  }
  all["geometric_mean"] = std::cbrt(product);
  return all;
}

ordered_json each_of(const RougeScores& scores) {
  ordered_json line;
  for (std::size_t i = 0; i < rouge_names.size(); ++i) line[rouge_names[i]] = told(scores[i]);
  return line;
}

ordered_json summary_of(const std::vector<double>& f1) {
  const Spread over = spread(f1);
  ordered_json all{{"f1", over.mean}};
  if (std::isfinite(over.standard_error)) all["f1_standard_error"] = over.standard_error;
  return all;
}

ordered_json each_of(double f1) { return {{"f1", f1}}; }

/// Scores every example, prints what was asked for, and returns the summary.
template <class Score>
ordered_json scored(const Examples& examples, bool each, const Score& score) {
  std::vector<decltype(score(examples.front()))> scores;
  for (const ScoredExample& example : examples) {
    scores.push_back(score(example));
    if (!each) continue;
    ordered_json line = place_of(example, scores.size() - 1);
    line.update(each_of(scores.back()));
    std::cout << json_text(line) << '\n';
  }
  return summary_of(scores);
}

ordered_json scored_rouge(const Examples& examples, const ScoreOptions& options) {
  ordered_json told = scored(examples, options.each, [&](const ScoredExample& e) {
    return best_rouge(e.references, e.prediction, options.stemmer);
  });
  told["signature"] =
      fmt::format("rouge|stemmer:{}|tokens:a-z0-9|references:best F of each kind|mean over examples",
                  options.stemmer ? "Porter as NLTK" : "no");
  return told;
}

ordered_json scored_token_f1(const Examples& examples, const ScoreOptions& options) {
  ordered_json told = scored(examples, options.each, [](const ScoredExample& e) {
    return best_token_f1(e.prediction, e.references);
  });
  told["signature"] = "token_f1|words:SQuAD|references:largest|mean over examples";
  return told;
}

struct Metric {
  const char* name;
  TextRules texts;
  /// Figures, and a signature but for the version.
  ordered_json (*score)(const Examples&, const ScoreOptions&);
  const char* equal_to;  ///< stands behind the version; sacreBLEU knows no compound split
};
constexpr std::array metrics{
    Metric{"rouge", TextRules::answers, scored_rouge, equal_to_rouge_score},
    Metric{"token_f1", TextRules::answers, scored_token_f1, equal_to_qasper_rules},
    Metric{"bleu", TextRules::translations, scored_translations, equal_to_sacrebleu},
    Metric{"chrf", TextRules::translations, scored_translations, equal_to_sacrebleu},
    Metric{"chrf++", TextRules::translations, scored_translations, equal_to_sacrebleu},
};

void refuse_foreign_options(const ScoreOptions& o) {
  const bool is_bleu = o.metric == "bleu", is_chrf = o.metric == "chrf" || o.metric == "chrf++";
  const auto refuse = [&](bool given, bool fits, const char* flag, const char* where) {
    if (given && !fits) user_error("{} goes with {}; {} has none", flag, where, o.metric);
  };
  refuse(o.stemmer, o.metric == "rouge", "--stemmer", "rouge");
  refuse(o.tokenizer.has_value(), is_bleu, "--tokenize", "bleu");
  refuse(o.smoothing.has_value(), is_bleu, "--smooth", "bleu");
  refuse(o.compound_split, is_bleu, "--compound-split", "bleu");
  refuse(o.lowercase, is_bleu || is_chrf, "--lowercase", "bleu, chrf and chrf++");
}

}  // namespace

int score_command(const ScoreOptions& options) {
  const auto* metric =
      std::find_if(metrics.begin(), metrics.end(), [&](const Metric& m) { return m.name == options.metric; });
  if (metric == metrics.end()) user_error("{} is no metric", options.metric);
  refuse_foreign_options(options);
  const ScoredExamples examples =
      read_examples(options.predictions, options.references, metric->texts, options.format);
  ordered_json all{{"metric", options.metric}, {"n", examples.all.size()}};
  all.update(examples.told());
  all.update(metric->score(examples.all, options));
  all["signature"] = signed_by_attnlab(all["signature"], options.compound_split ? nullptr : metric->equal_to);
  std::cout << json_text(all, options.each ? -1 : 2) << '\n';
  flush_output(std::cout);
  return exit_done;
}

}  // namespace attnlab
