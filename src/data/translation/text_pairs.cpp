#include "data/translation/text_pairs.h"

namespace attnlab {

void TextPairsOptions::visit(Fields& f) {
  own.visit(f);
  visit_preparation(f);
}

TextSetFiles TextPairsOptions::files(const DataPlace&) const { return own.named("text pairs"); }

}  // namespace attnlab
