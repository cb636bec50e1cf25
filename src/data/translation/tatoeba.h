// Tatoeba: short everyday sentences, sorted by length.
#pragma once

#include "data/translation/raw_text.h"

namespace attnlab {

/// Reads <root>/tatoeba/{train,valid,test}.{en,de}: raw text, a sentence a line.
struct TatoebaOptions final : RawTextOptions {
  LanguagePair languages;

  TatoebaOptions();
  void visit(Fields& f) override;
  TextSetFiles files(const DataPlace& place) const override;
};

}  // namespace attnlab
