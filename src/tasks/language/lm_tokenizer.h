// The tokenizer of a language model that is trained here: given, of bytes, or trained on its texts.
#pragma once

#include <filesystem>
#include <string>

#include "core/options.h"
#include "data/token_corpus.h"
#include "data/tokenizer.h"

namespace attnlab {

struct TokenizerSource {
  std::string path;
  int64_t vocabulary = 4096;
  int64_t sample_bytes = 10'000'000;
  double coverage = 0.9995;
  bool bytes = false;

  void visit(Fields& f);
};

/// The tokenizer's file: the named one, that of bytes, or of one trained on the texts; these two are kept in
/// the data cache.
std::filesystem::path named_or_trained(const TokenizerSource& source, const TextSource& texts,
                                       const DataPlace& place);

}  // namespace attnlab
