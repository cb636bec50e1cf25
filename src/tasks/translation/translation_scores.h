// What is said of translations: tables, and figures over a split.
#pragma once

#include <vector>

#include "core/record.h"
#include "metrics/bootstrap.h"
#include "tasks/translation/translated_split.h"
#include "train/train.h"

namespace attnlab {

/// Of the first `limit` pairs (0: all), in their order, in evaluation mode without label smoothing; the
/// model's mode is restored.
std::vector<TargetLoss> target_losses(Translator& model, const SentencePairs& pairs,
                                      const TranslateOptions& options, int64_t limit, torch::Device device);

/// Perplexity per target token, its standard error over sentences.
Validation validation_of(const std::vector<TargetLoss>& losses);

/// BLEU of the translations: 13a, or of tokenised text as it stands; ± over resampled sentences.
CorpusFigure bleu_of(const TranslatedSplit& split);

std::vector<Table> translation_tables();
/// Of validation only BLEU and perplexity; with compound-split BLEU where texts are tokenised.
std::vector<Headline> translation_figures(Split split, bool tokenised);
/// Rows of /translations/<split>, figures under /summary, and the signatures as attributes.
void write_translations(const TranslatedSplit& split, RecordSink& record);

}  // namespace attnlab
