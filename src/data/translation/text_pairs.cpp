#include "data/translation/text_pairs.h"

#include "core/error.h"

namespace attnlab {

void TextPairsOptions::visit(Fields& f) {
  f("train_sources", train_sources, OneOf{}, "files of sentences to train on");
  f("train_targets", train_targets, OneOf{}, "files of their translations, in the same order");
  f.require(!train_sources.empty(), "train_sources", "must name a file");
  f.require(
      train_sources.size() == train_targets.size(), "train_targets",
      fmt::format("names {} files where train_sources names {}", train_targets.size(), train_sources.size()));
  const auto file = [&f](const char* key, std::string& path, const char* meaning) {
    f(key, path, OneOf{}, meaning);
    f.require(!path.empty(), key, "must name a file");
  };
  file("validation_source", validation_source, "sentences to validate on");
  file("validation_target", validation_target, "their translations");
  file("test_source", test_source, "sentences that are translated in the end");
  file("test_target", test_target, "their translations");
  visit_preparation(f);
}

RawTextFiles TextPairsOptions::files(const DataPlace&) const {
  RawTextFiles all{"text pairs", "", {}, {validation_source, validation_target}, {test_source, test_target}};
  for (std::size_t i = 0; i < train_sources.size(); ++i)
    all.train.push_back({train_sources[i], train_targets[i]});
  return all;
}

}  // namespace attnlab
