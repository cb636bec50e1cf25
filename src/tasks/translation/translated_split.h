// The sentences of a split beside what a model makes of them.
#pragma once

#include <string>
#include <vector>

#include "models/beam_search.h"
#include "tasks/translation/translate.h"

namespace attnlab {

/// −log p of one target under the model, its EOS included.
struct TargetLoss {
  int64_t tokens = 0;
  double nll = 0;  ///< nats
};

struct TranslatedSplit {
  Split split = Split::test;
  std::vector<std::string> sources, references, translations;
  std::vector<std::vector<Hypothesis>> found;
  std::vector<TargetLoss> losses;  ///< the caller's to add
  std::vector<int64_t> source_tokens;
  bool tokenised = false;
  double seconds = 0;  ///< of the search
};

/// Throws UserError, naming its file, for a sentence longer than the positions among those that a run will
/// translate or score: before it has trained.
void check_positions(const TranslateOptions& options, const TranslationData& data, const RunContext& context);

/// Translates validation or test, their first context.limit sentences (0: all), as `decoding` says. The model
/// is in evaluation mode. No sentence is longer than the positions.
TranslatedSplit translate_split(Split split, const TranslateOptions& options, const TranslationData& data,
                                Translator& model, const RunContext& context);

}  // namespace attnlab
