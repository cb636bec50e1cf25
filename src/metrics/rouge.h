// ROUGE (Lin 2004) as Google's rouge_score computes it, on which ZeroSCROLLS, TOVA and SQuALITY rest.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace attnlab {

struct RougeScore {
  double precision = 0, recall = 0;
  double f = 0;  ///< 2pr / (p + r); 0 where both are
};

/// rouge1, rouge2: n-grams, clipped by count; rougeL: one longest common subsequence; rougeLsum: the union of
/// those of each reference line with all lines of the prediction, each token counted at most as often as on
/// either side.
enum class Rouge { n1, n2, l, lsum };
inline constexpr std::array rouge_names{"rouge1", "rouge2", "rougeL", "rougeLsum"};
using RougeScores = std::array<RougeScore, rouge_names.size()>;

/// Tokens are runs of ASCII letters and digits of the lower-cased text; with a stemmer those longer than
/// three are cut to their stems (metrics/porter_stemmer.h). Texts are UTF-8. Time and memory grow with the
/// product of the texts' tokens.
RougeScores rouge(std::string_view reference, std::string_view prediction, bool stemmer);

/// Against several references: of each kind the first whose F is the largest. There is at least one.
RougeScores best_rouge(std::span<const std::string> references, std::string_view prediction, bool stemmer);

}  // namespace attnlab
