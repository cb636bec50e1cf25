// Translating many sentences: in batches of like length, answered in the order given.
#pragma once

#include <vector>

#include "models/beam_search.h"
#include "tasks/translation/translate.h"

namespace attnlab {

/// For each source, ids that end with EOS, its n best translations, without EOS. None depends on the others.
/// The model is in evaluation mode. Stops where a request to stop came.
std::vector<std::vector<Hypothesis>> translate_all(Translator& model, const TranslationDecoding& how,
                                                   const std::vector<std::vector<int64_t>>& sources,
                                                   uint64_t seed, torch::Device device);

}  // namespace attnlab
