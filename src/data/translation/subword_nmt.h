// Tokenised text and subword-nmt's files: how WMT's results of 2016 to 2021 were prepared.
#pragma once

#include <string>

#include "data/translation/text_set.h"

namespace attnlab {

/// Files of text that was tokenised already (Moses, jieba), a sentence a line, words between spaces; the
/// codes that `subword-nmt learn-bpe` made, and the joint vocabulary that `get-vocab` made of the text cut by
/// them, or fairseq's dict.txt. What is decoded is tokenised text too.
struct SubwordNmtOptions final : TextSetOptions {
  OwnFiles own;
  std::string codes, vocabulary, dictionary;
  int64_t threshold = 0;

  bool tokenised() const override { return true; }
  void visit(Fields& f) override;
  TextSetFiles files(const DataPlace& place) const override;
  std::shared_ptr<const TranslationVocabulary> open_vocabulary(const DataPlace& place) const override;
  std::vector<std::filesystem::path> vocabulary_files() const override;
  std::string route(const TranslationVocabulary& vocabulary) const override;
};

}  // namespace attnlab
