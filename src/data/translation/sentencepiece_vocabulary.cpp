#include "data/translation/sentencepiece_vocabulary.h"

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "data/sentencepiece_training.h"
#include "data/tokenizer.h"
#include "data/translation/saved_vocabulary.h"

namespace attnlab {
namespace {

class SentencePieceVocabulary final : public TranslationVocabulary {
 public:
  explicit SentencePieceVocabulary(const std::filesystem::path& file);

  int64_t size() const override { return static_cast<int64_t>(pieces_.size()); }
  std::vector<int64_t> encode(std::string_view text) const override;
  std::string decode(std::span<const int64_t> ids) const override;
  bool tokenised() const override { return false; }
  std::string checksum() const override { return sha256("sentencepiece " + bytes_); }
  void save(const std::filesystem::path& folder) const override {
    write_atomically(folder / saved_sentencepiece, bytes_);
  }

 private:
  Tokenizer model_;
  std::string bytes_;
  std::vector<int64_t> pieces_;  ///< the model's id of each of ours; −1: it has none
  std::vector<int64_t> ids_;     ///< the other way
};

SentencePieceVocabulary::SentencePieceVocabulary(const std::filesystem::path& file)
    : model_(Tokenizer::open(file)), bytes_(read_file(file)) {
  const auto unknown = model_.id_of("<unk>");
  if (!unknown) user_error("{} has no piece <unk>, which a vocabulary for translation needs", file.string());
  pieces_ = {model_.bos_id().value_or(-1), model_.id_of("<pad>").value_or(-1), model_.eos_id().value_or(-1),
             *unknown};
  ids_.assign(static_cast<std::size_t>(model_.size()), -1);
  for (std::size_t i = 0; i < pieces_.size(); ++i)
    if (pieces_[i] >= 0) ids_[static_cast<std::size_t>(pieces_[i])] = static_cast<int64_t>(i);
  for (std::size_t piece = 0; piece < ids_.size(); ++piece) {
    if (ids_[piece] >= 0) continue;
    ids_[piece] = static_cast<int64_t>(pieces_.size());
    pieces_.push_back(static_cast<int64_t>(piece));
  }
}

std::vector<int64_t> SentencePieceVocabulary::encode(std::string_view text) const {
  std::vector<int64_t> ids = model_.encode(text, false, SpecialTokens::as_text);
  for (int64_t& id : ids) id = ids_[static_cast<std::size_t>(id)];
  return ids;
}

std::string SentencePieceVocabulary::decode(std::span<const int64_t> ids) const {
  std::vector<int64_t> pieces;
  for (const int64_t id : ids) {
    if (id < 0 || id >= size()) user_error("the id {} is outside the vocabulary of {}", id, size());
    if (id >= unk) pieces.push_back(pieces_[static_cast<std::size_t>(id)]);
  }
  std::string text = model_.decode(pieces);
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';  // of bytes: a sentence is one line
  return text;
}

}  // namespace

void JointVocabularyOptions::visit(Fields& f) {
  f("path", path, OneOf{}, "a SentencePiece model (.model) that is there already; empty: one is trained");
  f("pieces", pieces, Range{64, 1 << 20}, "size of a vocabulary that is trained, special tokens included");
  f("sample", sample, Range{1, 1e9}, "pairs, evenly spaced, that a vocabulary is trained on at most");
  f("coverage", coverage, Range{0.9, 1}, "share of the sample's characters that become pieces");
  f("normalisation", normalisation, OneOf{{"nmt_nfkc", "nfkc", "identity"}},
    "what SentencePiece does to a text before it is cut; it is not undone in what is decoded");
  f("byte_fallback", byte_fallback, "characters without a piece become bytes (256 more pieces), not <unk>");
}

std::string JointVocabularyOptions::text() const {
  return fmt::format("pieces {} sample {} coverage {} {} bytes {}", pieces, sample, coverage, normalisation,
                     byte_fallback);
}

std::string train_joint_vocabulary(std::vector<std::string> sentences,
                                   const JointVocabularyOptions& options) {
  return train_sentencepiece(std::move(sentences), options.pieces, options.coverage,
                             {{"normalization_rule_name", options.normalisation},
                              {"byte_fallback", options.byte_fallback ? "true" : "false"},
                              {"bos_id", "0"},
                              {"pad_id", "1"},
                              {"eos_id", "2"},
                              {"unk_id", "3"}});
}

std::filesystem::path joint_vocabulary_file(const std::filesystem::path& path) {
  const auto file = std::filesystem::is_directory(path) ? path / "tokenizer.model" : path;
  if (file.extension() == ".json")
    user_error("{} is no SentencePiece model (.model), which a vocabulary for translation has to be",
               file.string());
  return file;
}

std::shared_ptr<const TranslationVocabulary> open_joint_vocabulary(const std::filesystem::path& path) {
  return std::make_shared<SentencePieceVocabulary>(joint_vocabulary_file(path));
}

}  // namespace attnlab
