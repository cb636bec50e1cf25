#include "kernels/attention_weights.h"

namespace attnlab {

Tensor attention_weights(Tensor scores_BHNM, const Tensor& hidden_BM, Drop drop) {
  const auto type = scores_BHNM.scalar_type();
  const bool narrow = type == torch::kHalf || type == torch::kBFloat16;
  if (narrow) scores_BHNM = scores_BHNM.to(torch::kFloat);
  if (hidden_BM.defined())
    scores_BHNM =
        scores_BHNM.masked_fill(hidden_BM.unsqueeze(1).unsqueeze(1), hidden_score(scores_BHNM.scalar_type()));
  Tensor w_BHNM = dropout(scores_BHNM.softmax(-1), drop);
  return narrow ? w_BHNM.to(type) : w_BHNM;
}

}  // namespace attnlab
