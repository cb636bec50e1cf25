// Beam search over the texts of any model that continues them (next_token_scorer.h). What it finds for a
// sentence does not depend on the others of its batch: limits are each sentence's own, and whoever is done
// leaves.
#pragma once

#include <functional>
#include <vector>

#include "models/beam_options.h"
#include "models/next_token_scorer.h"

namespace attnlab {

struct SearchSymbols {
  int64_t start = 0;     ///< what every text is continued from; fairseq's is its end
  int64_t end = 0;       ///< ends a text
  int64_t padding = -1;  ///< never chosen; −1: there is none
};

struct SearchBatch {
  std::vector<int64_t> source_lengths = {};  ///< of each sentence, its end counted, for the limit
  std::vector<uint64_t> seeds = {};          ///< of each sentence's random numbers; only for sampling
  SearchSymbols symbols = {};
  std::function<void()> each_step = {};  ///< called before every step; may throw to stop
};

struct Hypothesis {
  std::vector<int64_t> ids;    ///< without start and end
  double log_probability = 0;  ///< Σ log p in nats, the end's included
  double score = 0;            ///< that under the length penalty
  bool finished = true;        ///< false: the model was made to end it, at the limit
};

/// For each sentence its n best texts, best first, equal ones in the order in which they ended; fewer where a
/// beam found fewer. A step takes the 2·beam most probable continuations; an end counts among the first
/// `beam` of them, and the first `beam` others go on (fairseq's rule); a beam of 1 is greedy by either stop.
/// Throws RunError where no text has a probability, as when logits are NaN.
std::vector<std::vector<Hypothesis>> beam_search(NextTokenScorer& scorer, const SearchBatch& batch,
                                                 const BeamOptions& options);

}  // namespace attnlab
