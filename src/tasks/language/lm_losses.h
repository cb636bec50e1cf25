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

class LmLosses {
 public:
  /// protected_ids: those that the policy's cache protects. Throws UserError where its options do not fit the
  /// model.
  LmLosses(Decoder decoder, const PolicyTraining& policy, std::vector<int64_t> protected_ids, uint64_t seed);

  /// Mean −log p in nats over what is learned, and what the policy's `reconstruction` adds, with its
  /// gradient: the m-th micro-batch.
  torch::Tensor training(const LearnedTokens& tokens, int64_t m) const;
  /// The same as validation reports it, under the policy with its one size.
  double validation(const LearnedTokens& tokens) const;

 private:
  /// Of what is learned: the hidden states [N, D] that predict it, and which tokens it is [N]. kept: of what
  /// was read; nothing: everything.
  struct Predictions {
    torch::Tensor hidden_ND, targets_N;
  };
  Predictions predict(const LearnedTokens& tokens, const std::optional<CacheOptions>& kept, uint64_t seed,
                      Reconstruction* reconstruction) const;
  torch::Tensor nll(const Predictions& predictions) const;

  Decoder decoder_;
  const PolicyTraining& policy_;
  std::vector<int64_t> protected_ids_;
  uint64_t seed_;
};

}  // namespace attnlab
