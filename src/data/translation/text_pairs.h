// A user's own sentence pairs: files of raw text, a sentence a line, in any two languages.
#pragma once

#include <string>
#include <vector>

#include "data/translation/raw_text.h"

namespace attnlab {

/// Line i of a source file is translated by line i of the target file beside it.
struct TextPairsOptions final : RawTextOptions {
  std::vector<std::string> train_sources, train_targets;
  std::string validation_source, validation_target, test_source, test_target;

  void visit(Fields& f) override;
  RawTextFiles files(const DataPlace& place) const override;
};

}  // namespace attnlab
