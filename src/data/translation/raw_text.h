// Sets of raw text, whose vocabulary SentencePiece trains on them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/translation/sentencepiece_vocabulary.h"
#include "data/translation/text_set.h"

namespace attnlab {

/// A trained vocabulary is kept in the data cache, like the pairs.
struct RawTextOptions : TextSetOptions {
  JointVocabularyOptions vocabulary;

  std::shared_ptr<const TranslationVocabulary> open_vocabulary(const DataPlace& place) const final;
  std::vector<std::filesystem::path> vocabulary_files() const final;
  std::string route(const TranslationVocabulary& vocabulary) const final;

 protected:
  void visit_preparation(Fields& f);
};

}  // namespace attnlab
