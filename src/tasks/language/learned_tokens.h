// Texts that a language model reads side by side, and which of their tokens it learns to predict.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace attnlab {

/// ids [B, T + 1]; the model reads the first T of each text, and learned [N] says which of what follows them
/// counts, as places in [B, T] flattened; undefined: all. Texts that are shorter are filled up on the right.
struct LearnedTokens {
  torch::Tensor ids_BT, learned_N;
  int64_t read = 0;  ///< tokens, without what fills up
  /// [B, T], 1 for what is read and 0 for what fills up; undefined: nothing does.
  torch::Tensor real_BT = {};

  int64_t texts() const { return ids_BT.size(0); }
  LearnedTokens to(torch::Device device) const;
};

/// Texts of one length, of which everything but the first token is learned.
LearnedTokens all_learned(const std::vector<std::vector<int64_t>>& texts);
/// Texts whose last tokens alone are learned: `learned[i]` of the i-th.
LearnedTokens ends_learned(const std::vector<std::vector<int64_t>>& texts,
                           const std::vector<int64_t>& learned);

/// Where micro-batches come from.
class LearnedTokensSource {
 public:
  virtual ~LearnedTokensSource() = default;
  virtual int64_t batches_per_epoch() const = 0;
  /// The m-th since the start of training: a function of the run's seed and m alone.
  virtual LearnedTokens batch(int64_t m) = 0;
};

}  // namespace attnlab
