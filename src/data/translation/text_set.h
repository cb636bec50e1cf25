// Sets that come as line-aligned text: cleaned, cut into the pieces of a vocabulary and prepared once.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/translation/cleaning.h"
#include "data/translation/pairs.h"
#include "data/translation/text_pairs_reader.h"

namespace attnlab {

/// Where the parts of a set lie.
struct TextSetFiles {
  std::string name;    ///< of the set and its direction, for records: "multi30k en-de"
  std::string advice;  ///< ends the sentence about a missing file: "; scripts/fetch_data multi30k fetches it"
  std::vector<TextPairFiles> train;
  TextPairFiles validation, test;

  std::vector<std::filesystem::path> all() const;  ///< training files first, source before target
};

/// What such sets have in common. Prepared pairs are kept in the data cache and made anew when a file, an
/// option or the direction changes.
struct TextSetOptions : TranslationDataOptions {
  CleaningOptions cleaning;

  virtual TextSetFiles files(const DataPlace& place) const = 0;
  virtual std::shared_ptr<const TranslationVocabulary> open_vocabulary(const DataPlace& place) const = 0;
  /// Files of a vocabulary that is there already.
  virtual std::vector<std::filesystem::path> vocabulary_files() const = 0;
  /// Which text and which BPE, to follow the set's name.
  virtual std::string route(const TranslationVocabulary& vocabulary) const = 0;

  TranslationData open(const DataPlace& place) const final;
  std::string contents_checksum(const DataPlace& place) const final;

 protected:
  void visit_cleaning(Fields& f);
  /// SHA-256 over names, sizes and times of the files that open() reads: cheap, and part of what names a
  /// prepared file.
  std::string sources_checksum(const DataPlace& place) const;
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

/// A user's own files: line i of a source file is translated by line i of the target file beside it.
struct OwnFiles {
  std::vector<std::string> train_sources, train_targets;
  std::string validation_source, validation_target, test_source, test_target;
  void visit(Fields& f);
  TextSetFiles named(const std::string& name) const;
};

}  // namespace attnlab
