// Sets that come as raw, line-aligned text: cleaned, cut into pieces of a joint vocabulary and prepared once.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/translation/cleaning.h"
#include "data/translation/pairs.h"
#include "data/translation/sentencepiece_vocabulary.h"
#include "data/translation/text_pairs_reader.h"

namespace attnlab {

/// Where the parts of a set lie.
struct RawTextFiles {
  std::string name;    ///< of the set and its direction, for records: "multi30k en-de"
  std::string advice;  ///< ends the sentence about a missing file: "; scripts/fetch_data multi30k fetches it"
  std::vector<TextPairFiles> train;
  TextPairFiles validation, test;

  std::vector<std::filesystem::path> all() const;  ///< training files first, source before target
};

/// What such sets have in common. Prepared pairs and a trained vocabulary are kept in the data cache and made
/// anew when a file, an option or the direction changes.
struct RawTextOptions : TranslationDataOptions {
  JointVocabularyOptions vocabulary;
  CleaningOptions cleaning;

  virtual RawTextFiles files(const DataPlace& place) const = 0;
  TranslationData open(const DataPlace& place) const final;
  std::string sources_checksum(const DataPlace& place) const final;

 protected:
  void visit_preparation(Fields& f);
};

/// Of a set in two languages, the direction.
struct LanguagePair {
  std::string source = "en", target = "de";
  void visit(Fields& f);
  std::string name() const { return source + "-" + target; }
};

/// <folder>/<stem>.en and <folder>/<stem>.de, the way round that the direction says.
TextPairFiles by_language(const std::filesystem::path& folder, const std::string& stem,
                          const LanguagePair& languages);

}  // namespace attnlab
