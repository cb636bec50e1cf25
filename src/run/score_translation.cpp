#include "run/score_translation.h"

#include <algorithm>
#include <iostream>

#include "core/error.h"
#include "core/json_text.h"
#include "core/log.h"
#include "metrics/bleu.h"
#include "metrics/bootstrap.h"
#include "metrics/chrf.h"

namespace attnlab {
namespace {

using nlohmann::ordered_json;

/// How many references every example has; 0: they differ in it.
int64_t references_of(const std::vector<ScoredExample>& examples) {
  const std::size_t first = examples.front().references.size();
  const bool same = std::all_of(examples.begin(), examples.end(),
                                [&](const ScoredExample& e) { return e.references.size() == first; });
  return same ? static_cast<int64_t>(first) : 0;
}

template <class Statistics, class Score>
void print_each(const std::vector<ScoredExample>& examples, const std::vector<Statistics>& sentences,
                const char* name, const Score& score) {
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    ordered_json line = place_of(examples[i], i);
    line[name] = score(sentences[i]);
    std::cout << json_text(line) << '\n';
  }
}

/// The figure of the corpus, how sure it is, and how that was found.
template <class Statistics, class Score>
ordered_json figure(const std::vector<Statistics>& sentences, const char* name, const Score& score) {
  const Resampling how;
  const CorpusFigure found = corpus_figure(std::span<const Statistics>(sentences), score, how);
  ordered_json told{{name, found.value}};
  if (sentences.size() < 2) return told;
  told[fmt::format("{}_standard_error", name)] = found.standard_error;
  told["standard_error_over"] = how.signature();
  return told;
}

/// sacreBLEU's rule for the same advice.
void tell_of_tokenised(const std::vector<ScoredExample>& examples, const BleuOptions& options) {
  if (options.tokenizer != BleuTokenizer::mteval_13a && options.tokenizer != BleuTokenizer::international)
    return;
  const auto lines = std::count_if(examples.begin(), examples.end(),
                                   [](const ScoredExample& e) { return e.prediction.ends_with(" ."); });
  if (lines >= 100)
    log_info(
        "{} predictions end in \" .\": they seem to be tokenised, and BLEU is meant for text as it is read",
        lines);
}

BleuOptions bleu_options_of(const ScoreOptions& options) {
  BleuOptions bleu = options.compound_split ? compound_split_bleu() : BleuOptions{};
  bleu.tokenizer = options.tokenizer.value_or(bleu.tokenizer);
  bleu.smoothing = options.smoothing.value_or(bleu.smoothing);
  bleu.lowercase = options.lowercase;
  return bleu;
}

ordered_json scored_bleu(const std::vector<ScoredExample>& examples, const ScoreOptions& options) {
  const BleuOptions bleu = bleu_options_of(options);
  tell_of_tokenised(examples, bleu);
  std::vector<BleuStatistics> sentences;
  for (const ScoredExample& e : examples)
    sentences.push_back(bleu_statistics(e.prediction, e.references, bleu));
  BleuOptions of_sentence = bleu;
  of_sentence.effective_order = true;
  if (options.each)
    print_each(examples, sentences, "bleu",
               [&](const BleuStatistics& s) { return bleu_score(s, of_sentence).bleu; });
  const auto score = [&](const BleuStatistics& s) { return bleu_score(s, bleu).bleu; };
  ordered_json told = figure(sentences, "bleu", score);
  const BleuStatistics corpus = total_of(std::span<const BleuStatistics>(sentences));
  const BleuScore found = bleu_score(corpus, bleu);
  told["precisions"] = found.precisions;
  told["brevity_penalty"] = found.brevity_penalty;
  told["prediction_length"] = corpus.prediction_length;
  told["reference_length"] = corpus.reference_length;
  told["signature"] = bleu_signature(bleu, references_of(examples), static_cast<int64_t>(examples.size()));
  return told;
}

ordered_json scored_chrf(const std::vector<ScoredExample>& examples, const ScoreOptions& options) {
  const ChrfOptions chrf{.word_orders = options.metric == "chrf++" ? 2 : 0, .lowercase = options.lowercase};
  std::vector<ChrfStatistics> sentences;
  for (const ScoredExample& e : examples)
    sentences.push_back(chrf_statistics(e.prediction, e.references, chrf));
  const char* name = options.metric.c_str();
  if (options.each) print_each(examples, sentences, name, chrf_score);
  ordered_json told = figure(sentences, name, chrf_score);
  told["signature"] = chrf_signature(chrf, references_of(examples), static_cast<int64_t>(examples.size()));
  return told;
}

}  // namespace

ordered_json scored_translations(const std::vector<ScoredExample>& examples, const ScoreOptions& options) {
  return options.metric == "bleu" ? scored_bleu(examples, options) : scored_chrf(examples, options);
}

}  // namespace attnlab
