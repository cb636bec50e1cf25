// A user's own sentence pairs: files of raw text, a sentence a line, in any two languages.
#pragma once

#include "data/translation/raw_text.h"

namespace attnlab {

struct TextPairsOptions final : RawTextOptions {
  OwnFiles own;

  void visit(Fields& f) override;
  TextSetFiles files(const DataPlace& place) const override;
};

}  // namespace attnlab
