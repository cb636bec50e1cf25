// From files of texts to the examples that `attnlab score` measures: which prediction goes with which
// references.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "run/score_texts.h"

namespace attnlab {

struct ScoredExample {
  std::string id;  ///< by which it was joined; empty: by its line
  std::string prediction;
  std::vector<std::string> references;  ///< at least one
};

struct ScoredExamples {
  std::vector<ScoredExample> all;
  std::string id_key = {};   ///< empty: line by line
  int64_t missing = 0;       ///< references without a prediction, which is the empty text then
  int64_t unreferenced = 0;  ///< predictions of an id that the references lack, which count nothing

  /// How they were joined, for the output: nothing to say of lines.
  nlohmann::ordered_json told() const;
};

/// An example a line; every file of `references` has as many lines as `predictions`, and a JSON line may hold
/// several texts. Where all lines of all files have the same key of id_keys, examples are what has the same
/// id, in the order of the references; of answers one without a prediction counts 0 then, as in QASPER's own
/// evaluation. Of translations a reference that is empty counts as none, as in sacreBLEU. Throws UserError
/// for files of unequal length, an example without a reference, an id that is there twice, and as
/// read_scored_lines does.
ScoredExamples read_examples(const std::filesystem::path& predictions,
                             const std::vector<std::filesystem::path>& references, TextRules rules,
                             TextFormat format);

/// What a line of JSON about one example begins with: its number from 1, and its id if it has one.
nlohmann::ordered_json place_of(const ScoredExample& example, std::size_t i);

}  // namespace attnlab
