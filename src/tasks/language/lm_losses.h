// Losses of texts that a language model is trained on, all of them seen or under `train.policy`.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "models/decoder.h"
#include "models/training_states.h"
#include "tasks/language/learned_tokens.h"
#include "tasks/language/train_policy.h"

namespace attnlab {

/// Of a text that is not trained on: mean −log p in nats, and how far outputs over what the policy keeps are
/// from those over all tokens (models/training_states.h); 0 where nothing is dropped.
struct HeldOutLoss {
  double nll = 0, reconstruction = 0;
};

class LmLosses {
 public:
  /// Throws UserError where the policy does not fit the model.
  LmLosses(Decoder decoder, const PolicyTraining& policy, uint64_t seed);

  /// Mean −log p in nats over what is learned, and what the policy's `reconstruction` adds, with its
  /// gradient: the m-th micro-batch.
  torch::Tensor training(const LearnedTokens& tokens, int64_t m) const;
  /// What validation reports, under the policy with its one size.
  HeldOutLoss validation(const LearnedTokens& tokens) const;
  /// Its nll alone, for less work.
  double validation_nll(const LearnedTokens& tokens) const;

 private:
  /// Of what is learned: the hidden states [N, D] that predict it, and which tokens it is [N]. kept: of what
  /// was read; nothing: everything.
  struct Predictions {
    torch::Tensor hidden_ND, targets_N;
  };
  Predictions predict(const LearnedTokens& tokens, const std::optional<CacheOptions>& kept, uint64_t seed,
                      Reconstruction* reconstruction) const;
  torch::Tensor nll(const Predictions& predictions) const;
  double held_out_nll(const LearnedTokens& tokens, Reconstruction* reconstruction) const;

  Decoder decoder_;
  const PolicyTraining& policy_;
  uint64_t seed_;
};

}  // namespace attnlab
