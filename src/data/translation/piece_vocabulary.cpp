#include "data/translation/piece_vocabulary.h"

#include <algorithm>
#include <mutex>

#include "core/error.h"
#include "core/files.h"
#include "data/translation/saved_vocabulary.h"
#include "data/translation/text_pairs_reader.h"
#include "data/words.h"

namespace attnlab {
namespace {

constexpr std::size_t longest_cached = 64;  ///< bytes of a word
constexpr std::size_t most_cached = 1 << 20;
constexpr std::string_view word_begin = "\u2581";

void erase_all(std::string& text, std::string_view what) {
  for (std::size_t i = text.find(what); i != std::string::npos; i = text.find(what, i))
    text.erase(i, what.size());
}

/// As fairseq does it: of "@@ " each one, also at the end; SentencePiece's by its "▁".
std::string joined(std::string text, Pieces pieces) {
  if (pieces == Pieces::subword_nmt) {
    text += ' ';
    std::string whole;
    for (std::size_t i = 0; i < text.size();) {
      if (text.compare(i, 3, "@@ ") == 0)
        i += 3;
      else
        whole += text[i++];
    }
    whole.resize(whole.find_last_not_of(' ') + 1);
    return whole;
  }
  if (pieces == Pieces::none) return text;
  erase_all(text, " ");
  for (std::size_t i = 0; (i = text.find(word_begin, i)) != std::string::npos;)
    text.replace(i, word_begin.size(), 1, ' ');  // of " " GCC 12 warns
  const std::size_t first = std::min(text.find_first_not_of(' '), text.size());
  return text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

}  // namespace

const std::vector<std::pair<std::string, Pieces>>& names_of_pieces() {
  static const std::vector<std::pair<std::string, Pieces>> names = {
      {"subword_nmt", Pieces::subword_nmt}, {"sentencepiece", Pieces::sentencepiece}, {"none", Pieces::none}};
  return names;
}

PieceVocabulary::PieceVocabulary(Dictionary dictionary, std::optional<SubwordBpe> bpe, Pieces pieces)
    : dictionary_(std::move(dictionary)), bpe_(std::move(bpe)), pieces_(pieces) {}

/// A piece may hold white space other than the blank, where fairseq cuts once more.
PieceVocabulary::Ids PieceVocabulary::ids_of_word(const std::string& word) const {
  Ids ids;
  for (const std::string& piece : bpe_->pieces(word))
    for (const std::string_view symbol : words_of(piece)) ids.push_back(dictionary_.id_of(symbol));
  return ids;
}

/// Words come again and again.
void PieceVocabulary::put_word(const std::string& word, Ids& ids) const {
  {
    const std::shared_lock reading(mutex_);
    if (const auto found = words_.find(word); found != words_.end()) {
      ids.insert(ids.end(), found->second.begin(), found->second.end());
      return;
    }
  }
  const Ids made = ids_of_word(word);
  ids.insert(ids.end(), made.begin(), made.end());
  if (word.size() > longest_cached) return;
  const std::unique_lock writing(mutex_);
  if (words_.size() < most_cached) words_.emplace(word, made);
}

std::vector<int64_t> PieceVocabulary::encode(std::string_view text) const {
  Ids ids;
  if (!bpe_) {
    for (const std::string_view symbol : words_of(text)) ids.push_back(dictionary_.id_of(symbol));
    return ids;
  }
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = std::min(text.find(' ', i), text.size());
    if (end > i) put_word(std::string(text.substr(i, end - i)), ids);
    i = end + 1;
  }
  return ids;
}

std::string PieceVocabulary::text_of(std::span<const int64_t> ids, const std::string& unknown) const {
  std::string text;
  for (const int64_t id : ids) {
    if (id < 0 || id >= size()) user_error("the id {} is outside the vocabulary of {}", id, size());
    if (id < unk) continue;
    text += (text.empty() ? "" : " ") + (id == unk ? unknown : dictionary_.symbol(id));
  }
  return joined(std::move(text), pieces_);
}

std::string PieceVocabulary::decode(std::span<const int64_t> ids) const {
  return text_of(ids, dictionary_.symbol(unk));
}

std::string PieceVocabulary::decode_reference(std::span<const int64_t> ids) const {
  // As a word no translation's <unk> equals it; a BLEU that cuts signs off words, as 13a does, finds parts
  // alike.
  return text_of(ids, "<<unk>>");
}

std::string PieceVocabulary::checksum() const {
  const std::string cut = bpe_ ? sha256(bpe_->codes()) + sha256(bpe_->vocabulary()) : "";
  return sha256(fmt::format("pieces {} {}", static_cast<int>(pieces_), sha256(dictionary_.text()) + cut));
}

void PieceVocabulary::save(const std::filesystem::path& folder) const {
  write_atomically(folder / saved_dictionary, dictionary_.text());
  for (const auto& [name, pieces] : names_of_pieces())
    if (pieces == pieces_) write_atomically(folder / saved_pieces, name + "\n");
  if (!bpe_) return;
  write_atomically(folder / saved_codes, bpe_->codes());
  write_atomically(folder / saved_bpe_vocabulary, bpe_->vocabulary());
}

std::shared_ptr<const TranslationVocabulary> open_piece_vocabulary(const std::filesystem::path& folder) {
  const std::vector<std::string> named = read_lines(folder / saved_pieces);
  Pieces chosen = Pieces::none;
  for (const auto& [name, pieces] : names_of_pieces())
    if (!named.empty() && named.front() == name) chosen = pieces;
  std::optional<SubwordBpe> bpe;
  if (std::filesystem::exists(folder / saved_codes))
    bpe.emplace(folder / saved_codes, read_bpe_vocabulary(folder / saved_bpe_vocabulary, 0));
  return std::make_shared<PieceVocabulary>(Dictionary::read(folder / saved_dictionary), std::move(bpe),
                                           chosen);
}

}  // namespace attnlab
