#include "kernels/attention_weights.h"

#include <limits>

namespace attnlab {

Tensor attention_weights(Tensor scores_BHNM, const Tensor& hidden_BM, Drop drop) {
  const auto type = scores_BHNM.scalar_type();
  const bool narrow = type == torch::kHalf || type == torch::kBFloat16;
  if (narrow) scores_BHNM = scores_BHNM.to(torch::kFloat);
  if (hidden_BM.defined()) {
    // Not −inf: a row with nothing to read would become NaN and poison the gradients of all.
    const double lowest = std::numeric_limits<float>::lowest();
    scores_BHNM = scores_BHNM.masked_fill(hidden_BM.unsqueeze(1).unsqueeze(1), lowest);
  }
  Tensor w_BHNM = dropout(scores_BHNM.softmax(-1), drop);
  return narrow ? w_BHNM.to(type) : w_BHNM;
}

}  // namespace attnlab
