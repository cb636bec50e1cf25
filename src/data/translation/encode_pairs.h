// Text into ids, by several threads, without ever holding more than a few thousand sentences.
#pragma once

#include <vector>

#include "data/translation/cleaning.h"
#include "data/translation/pair_file.h"
#include "data/translation/text_pairs_reader.h"

namespace attnlab {

/// Adds the pairs of the files, EOS at the ends, in their order, whatever the number of threads; without
/// `cleaning` every one of them. Throws as TextPairsReader does.
CleaningReport encode_pairs(const std::vector<TextPairFiles>& files, const CleaningOptions* cleaning,
                            const TranslationVocabulary& vocabulary, PairFileWriter& writer);

}  // namespace attnlab
