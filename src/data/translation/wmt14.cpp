#include "data/translation/wmt14.h"

namespace attnlab {

Wmt14Options::Wmt14Options() { cleaning.max_ratio = 1.5; }

void Wmt14Options::visit(Fields& f) {
  languages.visit(f);
  visit_preparation(f);
}

TextSetFiles Wmt14Options::files(const DataPlace& place) const {
  const auto folder = place.root / "wmt14";
  const auto named = [&](const char* stem) { return by_language(folder, stem, languages); };
  return {"wmt14 " + languages.name(),
          "; scripts/fetch_data wmt14 fetches it",
          {named("europarl-v7.de-en"), named("commoncrawl.de-en"), named("news-commentary-v9.de-en")},
          named("newstest2013"),
          named("newstest2014")};
}

}  // namespace attnlab
