// The choice of the next token from its logits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/options.h"

namespace attnlab {

struct SamplingOptions {
  double temperature = 0.0;
  int64_t top_k = 0;
  double top_p = 1.0;

  void visit(Fields& f);
};

struct Candidate {
  int64_t id = 0;
  double probability = 0.0;
};

/// Tokens that may come next with their probabilities, most probable first, equal ones by id: the logits
/// divided by the temperature (above 0), the top_k largest (0: all), and of those the fewest that together
/// have a probability of at least top_p (Holtzman et al. 2020), rescaled to sum to 1.
std::vector<Candidate> candidates(std::span<const float> logits, const SamplingOptions& options);

/// The largest logit's token, the lowest id among equals, at temperature 0; else the candidate that `uniform`
/// in [0, 1) falls on.
int64_t choose_token(std::span<const float> logits, const SamplingOptions& options, double uniform);

/// −log p of a token under these logits, in nats, computed in double.
double surprisal_of(std::span<const float> logits, int64_t id);

}  // namespace attnlab
