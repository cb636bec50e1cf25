#include "core/error.h"
#include "data/translation/piece_vocabulary.h"
#include "fuzz/input_folder.h"
#include "fuzz/targets.h"

namespace attnlab {
namespace {

/// What stands before the next NUL, taken off.
std::string_view next_part(std::string_view& bytes) {
  const std::size_t end = std::min(bytes.find('\0'), bytes.size());
  const std::string_view part = bytes.substr(0, end);
  bytes.remove_prefix(std::min(end + 1, bytes.size()));
  return part;
}

/// Pieces are the word again, each with its mark but the last.
void expect_whole(const std::vector<std::string>& pieces, std::string_view word) {
  std::string joined;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    std::string piece = pieces[i];
    if (i + 1 < pieces.size()) {
      ensure(piece.ends_with(SubwordBpe::separator), "pieces with marks, not '{}'", piece);
      piece.resize(piece.size() - SubwordBpe::separator.size());
    }
    joined += piece;
  }
  ensure(joined == word, "pieces of '{}', not of '{}'", word, joined);
}

void use(const PieceVocabulary& vocabulary, std::string_view text) {
  const auto ids = vocabulary.encode(text);
  for (const int64_t id : ids) ensure(id >= 3 && id < vocabulary.size(), "ids of symbols, not {}", id);
  vocabulary.decode(ids);
}

}  // namespace

/// Codes, a vocabulary that is also the dictionary, and a text, with NULs between.
void fuzz_subword_nmt(std::string_view bytes) {
  static const InputFolder folder;
  const auto codes = folder.write("codes", next_part(bytes));
  const auto words = folder.write("vocabulary", next_part(bytes));
  const std::string_view text = bytes;
  read_or_refuse(folder, [&] {
    const SubwordBpe bpe(codes, {});
    if (!text.empty()) expect_whole(bpe.pieces(text), text);
    const auto known = read_bpe_vocabulary(words, 2);
    use(PieceVocabulary(Dictionary::of(known), SubwordBpe(codes, known), Pieces::subword_nmt), text);
  });
  read_or_refuse(folder, [&] {
    use(PieceVocabulary(Dictionary::read(words), std::nullopt, Pieces::sentencepiece), text);
  });
}

}  // namespace attnlab
