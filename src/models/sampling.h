// The choice of the next token from its logits.
#pragma once

#include <torch/torch.h>

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

/// choose_token of each row of contiguous fp32 logits [B, V]. Of a GPU's logits only the ids leave it.
std::vector<int64_t> choose_tokens(const torch::Tensor& logits_BV, const SamplingOptions& options,
                                   const std::vector<double>& uniforms);

/// The same composed of Torch's operators; uniforms in double beside the logits. int64 [B].
torch::Tensor choose_by_operators(const torch::Tensor& logits_BV, const SamplingOptions& options,
                                  const torch::Tensor& uniform_B);

/// −log p of a token of each row, in nats, computed in double: [B].
torch::Tensor surprisal_of(const torch::Tensor& logits_BV, const torch::Tensor& ids_B);

}  // namespace attnlab
