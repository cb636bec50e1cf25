// Translating many sentences: in batches of like length, answered in the order given.
#pragma once

#include <vector>

#include "models/beam_search.h"
#include "tasks/translation/translate.h"

namespace attnlab {

struct NumberedSources {
  std::vector<std::vector<int64_t>> ids;  ///< of each, EOS last
  std::vector<int64_t> numbers;           ///< lines of a text, by which each draws, whatever call it is in
};

/// For each source its n best translations, without EOS. None depends on the others. A source without a word,
/// EOS alone, is not asked about: its one translation is empty. The model is in evaluation mode. Stops where
/// a request to stop came.
std::vector<std::vector<Hypothesis>> translate_all(Translator& model, const TranslationDecoding& how,
                                                   const NumberedSources& sources, uint64_t seed,
                                                   torch::Device device);

}  // namespace attnlab
