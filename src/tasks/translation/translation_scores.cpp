#include "tasks/translation/translation_scores.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/stop.h"
#include "kernels/decoder_ops.h"
#include "kernels/linear.h"
#include "kernels/projected_cross_entropy.h"
#include "metrics/bleu.h"
#include "metrics/chrf.h"
#include "metrics/perplexity.h"
#include "metrics/signature.h"
#include "tasks/translation/pair_tensors.h"

namespace attnlab {
namespace {

using Better = Summary::Better;
using Type = Column::Type;

std::string table_of(Split split) { return "/translations/" + std::string(name_of(split)); }

/// A figure's name: of the test set plain, of validation with its name behind.
std::string figure_name(const char* name, Split split) {
  return split == Split::test ? name : fmt::format("{}_{}", name, name_of(split));
}

/// A score of the whole corpus, with the standard deviation of resampled corpora.
template <class Statistics, class Score>
void summarise_corpus(const Headline& figure, const std::vector<Statistics>& sentences, const Score& score,
                      RecordSink& record) {
  const CorpusFigure found = corpus_figure(std::span<const Statistics>(sentences), score);
  record.summarise(summary_of(figure, found.value, std::ssize(sentences), found.standard_error));
}

BleuOptions bleu_options(bool tokenised) {
  return {.tokenizer = tokenised ? BleuTokenizer::none : BleuTokenizer::mteval_13a};
}

/// −log p of targets [N] under hidden·weightᵀ, for hidden [N, D] and weight [V, D], with the logits of some
/// rows at a time; in double, on the CPU.
Tensor projected_losses(const Tensor& hidden_ND, const Tensor& weight_VD, const Tensor& targets_N) {
  const int64_t rows = std::max(least_slice_rows, slice_logits / weight_VD.size(0));
  std::vector<Tensor> losses;
  for (int64_t first = 0; first < hidden_ND.size(0); first += rows)
    losses.push_back(token_losses(affine(hidden_ND.slice(0, first, first + rows), weight_VD),
                                  targets_N.slice(0, first, first + rows)));
  return at::cat(losses).cpu();
}

/// Of each pair of a batch, in its order.
std::vector<TargetLoss> losses_of(Translator& model, const PairBatch& batch, const PairTensors& t) {
  const Tensor hidden_BTD =
      model->decode(t.target_input_BT, t.target_padding_BT, model->encode(t.source_BN, t.source_padding_BN));
  std::vector<Tensor> hidden, targets;  // without the padding
  for (int64_t row = 0; row < batch.rows; ++row) {
    const int64_t tokens = batch.target_lengths[static_cast<std::size_t>(row)];
    hidden.push_back(hidden_BTD[row].narrow(0, 0, tokens));
    targets.push_back(t.target_output_BT[row].narrow(0, 0, tokens));
  }
  const Tensor losses_N = projected_losses(at::cat(hidden), model->projection(), at::cat(targets));
  std::vector<TargetLoss> all;
  int64_t first = 0;
  for (const int64_t tokens : batch.target_lengths) {
    all.push_back({tokens, losses_N.narrow(0, first, tokens).sum().item<double>()});
    first += tokens;
  }
  return all;
}

}  // namespace

std::vector<TargetLoss> target_losses(Translator& model, const SentencePairs& pairs,
                                      const TranslateOptions& options, int64_t limit, torch::Device device) {
  const torch::NoGradGuard no_grad;
  const bool training = model->is_training();
  model->eval();
  PairLengths lengths = lengths_of(pairs);
  if (limit > 0 && limit < lengths.size()) {
    lengths.source.resize(static_cast<std::size_t>(limit));
    lengths.target.resize(static_cast<std::size_t>(limit));
  }
  std::vector<TargetLoss> all(static_cast<std::size_t>(lengths.size()));
  for (const auto& members : plan_all_pairs(lengths, options.batching.max_tokens, 0)) {
    stop_here_if_requested();
    const PairBatch batch = make_pair_batch(pairs, members, options.source_padding);
    const std::vector<TargetLoss> losses = losses_of(model, batch, to_tensors(batch, device));
    for (std::size_t i = 0; i < losses.size(); ++i) all[static_cast<std::size_t>(members[i])] = losses[i];
  }
  model->train(training);
  return all;
}

Validation validation_of(const std::vector<TargetLoss>& losses) {
  std::vector<DocumentScore> sentences;
  for (const TargetLoss& loss : losses) sentences.push_back({.tokens = loss.tokens, .nll = loss.nll});
  const DocumentFigure figure = pooled_perplexity(sentences);
  return {figure.value, figure.standard_error, std::log(figure.value), std::ssize(sentences)};
}

CorpusFigure bleu_of(const TranslatedSplit& split) {
  const BleuOptions options = bleu_options(split.tokenised);
  std::vector<BleuStatistics> sentences;
  for (std::size_t i = 0; i < split.translations.size(); ++i)
    sentences.push_back(bleu_statistics(split.translations[i], {&split.references[i], 1}, options));
  return corpus_figure(std::span<const BleuStatistics>(sentences),
                       [&](const BleuStatistics& s) { return bleu_score(s, options).bleu; });
}

std::vector<Table> translation_tables() {
  std::vector<Table> all;
  for (const Split split : {Split::validation, Split::test})
    all.push_back({table_of(split),
                   "every sentence of " + std::string(name_of(split)),
                   {{"sentence", Type::integer, "1", "line of the set, from 0"},
                    {"source", Type::text, "1", "as it stands in the file"},
                    {"reference", Type::text, "1", "as it stands in the file"},
                    {"translation", Type::text, "1", "the best one found"},
                    {"source_tokens", Type::integer, "token", "of the source, its end included"},
                    {"tokens", Type::integer, "token", "of the translation, its end included"},
                    {"log_probability", Type::real, "nat", "of the translation, its end included"},
                    {"score", Type::real, "1", "that under the length penalty"},
                    {"finished", Type::integer, "1", "0 where the limit of its length ended it"},
                    {"target_tokens", Type::integer, "token", "of the reference, its end included"},
                    {"nll", Type::real, "nat", "negative log-probability of the reference"},
                    {"words", Type::integer, "1", "of the translation, as BLEU counts them"},
                    {"reference_words", Type::integer, "1", "of the reference"},
                    {"matches_1", Type::integer, "1", "1-grams that the reference has"},
                    {"matches_2", Type::integer, "1", "2-grams that the reference has"},
                    {"matches_3", Type::integer, "1", "3-grams that the reference has"},
                    {"matches_4", Type::integer, "1", "4-grams that the reference has"}}});
  return all;
}

std::vector<Headline> translation_figures(Split split, bool tokenised) {
  const std::string of = split == Split::test ? "the test set" : "the validation set";
  const Headline bleu{figure_name("bleu", split), "1",
                      tokenised
                          ? "BLEU of " + of + ", of tokenised text as it stands; ± over resampled sentences"
                          : "BLEU (13a, case kept) of " + of + "; ± over resampled sentences",
                      Better::higher};
  const Headline perplexity{figure_name("perplexity", split), "1",
                            "per target token of " + of + ", its end included; ± over sentences",
                            Better::lower};
  if (split != Split::test) return {bleu, perplexity};
  std::vector<Headline> all{bleu};
  if (tokenised)
    all.push_back(
        {"bleu_compound_split", "1", "tokenised, compound-split BLEU, as papers report it", Better::higher});
  for (const Headline& figure :
       {Headline{"chrf", "1", "chrF2; ± over resampled sentences", Better::higher},
        Headline{"chrf_plus_plus", "1", "chrF2++; ± over resampled sentences", Better::higher},
        Headline{"length_ratio", "1", "words of translations over words of references", Better::neither},
        perplexity, Headline{"sentences_per_second", "1/s", "translated by the search", Better::higher}})
    all.push_back(figure);
  return all;
}

void write_translations(const TranslatedSplit& split, RecordSink& record) {
  const std::string table = table_of(split.split);
  const BleuOptions plain = bleu_options(split.tokenised);
  std::vector<BleuStatistics> bleu, compounds;
  std::vector<ChrfStatistics> chrf, chrf_words;
  record.truncate(table, 0);  // what a run killed during its evaluation left
  for (std::size_t i = 0; i < split.translations.size(); ++i) {
    const std::string& text = split.translations[i];
    const std::span<const std::string> reference(&split.references[i], 1);
    bleu.push_back(bleu_statistics(text, reference, plain));
    if (split.tokenised) compounds.push_back(bleu_statistics(text, reference, compound_split_bleu()));
    chrf.push_back(chrf_statistics(text, reference, {}));
    chrf_words.push_back(chrf_statistics(text, reference, {.word_orders = 2}));
    const Hypothesis& best = split.found[i].front();
    const BleuStatistics& b = bleu.back();
    const Value row[] = {static_cast<int64_t>(i),
                         split.sources[i],
                         split.references[i],
                         text,
                         split.source_tokens[i],
                         std::ssize(best.ids) + 1,
                         best.log_probability,
                         best.score,
                         int64_t{best.finished},
                         split.losses[i].tokens,
                         split.losses[i].nll,
                         b.prediction_length,
                         b.reference_length,
                         b.matches[0],
                         b.matches[1],
                         b.matches[2],
                         b.matches[3]};
    record.append(table, row);
  }
  const std::vector<Headline> figures = translation_figures(split.split, split.tokenised);
  const auto figure = [&](const std::string& name) {
    const auto found =
        std::find_if(figures.begin(), figures.end(), [&](const Headline& h) { return h.name == name; });
    ensure(found != figures.end(), "a figure named {}", name);
    return *found;
  };
  const auto n = static_cast<int64_t>(split.translations.size());
  summarise_corpus(
      figure(figure_name("bleu", split.split)), bleu,
      [&](const BleuStatistics& s) { return bleu_score(s, plain).bleu; }, record);
  const Validation loss = validation_of(split.losses);
  record.summarise(
      summary_of(figure(figure_name("perplexity", split.split)), loss.value, loss.n, loss.standard_error));
  record.attribute(figure_name("bleu_signature", split.split),
                   signed_by_attnlab(bleu_signature(plain, 1, n), equal_to_sacrebleu));
  if (split.split != Split::test) return;
  if (split.tokenised)
    summarise_corpus(
        figure("bleu_compound_split"), compounds,
        [&](const BleuStatistics& s) { return bleu_score(s, compound_split_bleu()).bleu; }, record);
  summarise_corpus(figure("chrf"), chrf, chrf_score, record);
  summarise_corpus(figure("chrf_plus_plus"), chrf_words, chrf_score, record);
  const BleuStatistics sum = total_of(std::span<const BleuStatistics>(bleu));
  const double ratio = static_cast<double>(sum.prediction_length) / static_cast<double>(sum.reference_length);
  record.summarise(summary_of(figure("length_ratio"), ratio, n));
  record.summarise(summary_of(figure("sentences_per_second"), static_cast<double>(n) / split.seconds, n));
  record.attribute("chrf_signature", signed_by_attnlab(chrf_signature({}, 1, n), equal_to_sacrebleu));
}

}  // namespace attnlab
