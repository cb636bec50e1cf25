// `attnlab score bleu|chrf|chrf++`: translations against references.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "run/commands.h"
#include "run/score_examples.h"

namespace attnlab {

/// The figures of the corpus with their standard errors, and a signature without version. With `each` a line
/// of JSON for every sentence goes to standard output before.
nlohmann::ordered_json scored_translations(const std::vector<ScoredExample>& examples,
                                           const ScoreOptions& options);

}  // namespace attnlab
