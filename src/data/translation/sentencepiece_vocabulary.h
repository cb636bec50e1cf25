// A joint vocabulary by SentencePiece (Kudo and Richardson 2018), of raw text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/options.h"
#include "data/translation/pairs.h"

namespace attnlab {

/// How a vocabulary is trained, or which one is taken.
struct JointVocabularyOptions {
  std::string path;
  int64_t pieces = 32000;
  int64_t sample = 500000;
  double coverage = 0.9999;
  std::string normalisation = "nmt_nfkc";
  bool byte_fallback = false;
  void visit(Fields& f);
  std::string text() const;  ///< what a trained one depends on, for fingerprints
};

/// BPE trained by SentencePiece's own library on sentences of both languages, with fairseq's ids (<s> 0,
/// <pad> 1, </s> 2, <unk> 3), as the bytes of a .model file. The same sentences give the same model. Throws
/// UserError where SentencePiece refuses: too many pieces for so little text.
std::string train_joint_vocabulary(std::vector<std::string> sentences, const JointVocabularyOptions& options);

/// The .model file that a path means: itself, or a folder's tokenizer.model. Throws UserError for another
/// kind of tokenizer.
std::filesystem::path joint_vocabulary_file(const std::filesystem::path& path);

/// A .model file, or the folder of one. Ids are those of fairseq's dictionary of such a model: the four
/// special ones, then all other pieces in the model's order; for a model trained here, they are the model's
/// own. Throws UserError where the file is missing, damaged, or without a piece <unk>.
std::shared_ptr<const TranslationVocabulary> open_joint_vocabulary(const std::filesystem::path& path);

}  // namespace attnlab
