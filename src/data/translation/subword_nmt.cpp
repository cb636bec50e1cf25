#include "data/translation/subword_nmt.h"

#include <fmt/format.h>

#include "data/translation/piece_vocabulary.h"

namespace attnlab {

void SubwordNmtOptions::visit(Fields& f) {
  own.visit(f);
  f("codes", codes, OneOf{}, "merges as subword-nmt learn-bpe writes them");
  f.require(!codes.empty(), "codes", "must name a file");
  f("vocabulary", vocabulary, OneOf{},
    "joint vocabulary as subword-nmt get-vocab writes it: merges that make other pieces are undone");
  f("threshold", threshold, Range{0, 1e12}, "pieces of `vocabulary` with a smaller count are none");
  f("dictionary", dictionary, OneOf{},
    "fairseq's dict.txt, which gives pieces their ids; empty: `vocabulary` does, in its order");
  f.require(!vocabulary.empty() || !dictionary.empty(), "vocabulary",
            "must name a file where there is no `dictionary`");
  visit_cleaning(f);
}

TextSetFiles SubwordNmtOptions::files(const DataPlace&) const { return own.named("text pairs"); }

std::vector<std::filesystem::path> SubwordNmtOptions::vocabulary_files() const {
  std::vector<std::filesystem::path> named;
  for (const std::string* file : {&codes, &vocabulary, &dictionary})
    if (!file->empty()) named.emplace_back(*file);
  return named;
}

std::shared_ptr<const TranslationVocabulary> SubwordNmtOptions::open_vocabulary(const DataPlace&) const {
  std::vector<std::string> pieces;
  if (!vocabulary.empty()) pieces = read_bpe_vocabulary(vocabulary, threshold);
  return std::make_shared<PieceVocabulary>(
      dictionary.empty() ? Dictionary::of(pieces) : Dictionary::read(dictionary), SubwordBpe(codes, pieces),
      Pieces::subword_nmt);
}

std::string SubwordNmtOptions::route(const TranslationVocabulary& opened) const {
  return fmt::format("tokenised text; subword-nmt BPE, {} symbols of {}", opened.size(),
                     dictionary.empty() ? "its vocabulary" : "a fairseq dictionary");
}

}  // namespace attnlab
