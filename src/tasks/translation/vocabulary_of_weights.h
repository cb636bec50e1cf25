// Which vocabulary a translator's weights were trained with, as their files say.
#pragma once

#include <filesystem>
#include <string>

#include "data/translation/pairs.h"

namespace attnlab {

/// What the checksum is called in the metadata of a file of weights.
inline constexpr const char* vocabulary_of_weights = "vocabulary_checksum";

/// Throws UserError where the weights in a run's folder or a file are of another vocabulary than `here`,
/// which `whose` says in words. Of files that do not say, a run's folder tells by the vocabulary that lies in
/// it.
void check_vocabulary(const std::filesystem::path& weights, const TranslationVocabulary& here,
                      const std::string& whose);

}  // namespace attnlab
