// A vocabulary that others made: a dictionary of fairseq and, where texts are to be cut by it, subword-nmt's
// codes.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/options.h"
#include "data/translation/dictionary.h"
#include "data/translation/pairs.h"
#include "data/translation/subword_bpe.h"

namespace attnlab {

/// What stands between the pieces of a word, and so how pieces become words again.
enum class Pieces {
  subword_nmt,    ///< "@@ " is deleted
  sentencepiece,  ///< spaces are deleted, then "▁" is one
  none,           ///< pieces are words
};
/// How the enumeration is spelled.
const std::vector<std::pair<std::string, Pieces>>& names_of_pieces();

/// Texts are symbols with white space between; with codes, words which these cut. What is decoded is
/// tokenised text, unless the pieces are SentencePiece's.
class PieceVocabulary final : public TranslationVocabulary {
 public:
  PieceVocabulary(Dictionary dictionary, std::optional<SubwordBpe> bpe, Pieces pieces);

  int64_t size() const override { return dictionary_.size(); }
  std::vector<int64_t> encode(std::string_view text) const override;
  std::string decode(std::span<const int64_t> ids) const override;
  std::string decode_reference(std::span<const int64_t> ids) const override;
  bool tokenised() const override { return pieces_ != Pieces::sentencepiece; }
  std::string checksum() const override;
  void save(const std::filesystem::path& folder) const override;

 private:
  using Ids = std::vector<int64_t>;
  Ids ids_of_word(const std::string& word) const;
  void put_word(const std::string& word, Ids& ids) const;
  std::string text_of(std::span<const int64_t> ids, const std::string& unknown) const;

  Dictionary dictionary_;
  std::optional<SubwordBpe> bpe_;
  Pieces pieces_;
  mutable std::shared_mutex mutex_;
  mutable std::unordered_map<std::string, Ids> words_;  ///< that were cut before
};

/// What save() left, where it left such a vocabulary.
std::shared_ptr<const TranslationVocabulary> open_piece_vocabulary(const std::filesystem::path& folder);

}  // namespace attnlab
