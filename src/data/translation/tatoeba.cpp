#include "data/translation/tatoeba.h"

namespace attnlab {

TatoebaOptions::TatoebaOptions() { vocabulary.pieces = 8000; }

void TatoebaOptions::visit(Fields& f) {
  languages.visit(f);
  visit_preparation(f);
}

TextSetFiles TatoebaOptions::files(const DataPlace& place) const {
  const auto folder = place.root / "tatoeba";
  const auto named = [&](const char* stem) { return by_language(folder, stem, languages); };
  return {"tatoeba " + languages.name(),
          "; scripts/fetch_data tatoeba fetches it",
          {named("train")},
          named("valid"),
          named("test")};
}

}  // namespace attnlab
