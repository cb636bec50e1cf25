#include "data/translation/multi30k.h"

namespace attnlab {

Multi30kOptions::Multi30kOptions() { vocabulary.pieces = 8000; }

void Multi30kOptions::visit(Fields& f) {
  languages.visit(f);
  visit_preparation(f);
}

TextSetFiles Multi30kOptions::files(const DataPlace& place) const {
  const auto folder = place.root / "multi30k";
  const auto named = [&](const char* stem) { return by_language(folder, stem, languages); };
  return {"multi30k " + languages.name(),
          "; scripts/fetch_data multi30k fetches it",
          {named("train")},
          named("val"),
          named("test_2016_flickr")};
}

}  // namespace attnlab
