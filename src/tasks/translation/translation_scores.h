// What is said of translations: tables, and figures over a split.
#pragma once

#include <string>
#include <vector>

#include "core/record.h"
#include "models/beam_search.h"
#include "tasks/translation/translate.h"
#include "train/train.h"

namespace attnlab {

/// −log p of one target under the model, its EOS included.
struct TargetLoss {
  int64_t tokens = 0;
  double nll = 0;  ///< nats
};

/// Of the first `limit` pairs (0: all), in their order, in evaluation mode without label smoothing; the
/// model's mode is restored.
std::vector<TargetLoss> target_losses(Translator& model, const SentencePairs& pairs,
                                      const TranslateOptions& options, int64_t limit, torch::Device device);

/// Perplexity per target token, its standard error over sentences.
Validation validation_of(const std::vector<TargetLoss>& losses);

/// A split's translations beside what they are compared with.
struct TranslatedSplit {
  Split split = Split::test;
  std::vector<std::string> sources, references, translations;
  std::vector<std::vector<Hypothesis>> found;
  std::vector<TargetLoss> losses;
  std::vector<int64_t> source_tokens;
  bool tokenised = false;
  double seconds = 0;  ///< of the search
};

std::vector<Table> translation_tables();
/// Of validation only BLEU and perplexity; with compound-split BLEU where texts are tokenised.
std::vector<Headline> translation_figures(Split split, bool tokenised);
/// Rows of /translations/<split>, figures under /summary, and the signatures as attributes.
void write_translations(const TranslatedSplit& split, RecordSink& record);

}  // namespace attnlab
