#include <cmath>

#include "kernels/ops.h"

namespace attnlab {

Tensor textbook_attention(const Tensor& q_BND, const Tensor& k_BMD, const Tensor& v_BMD, int64_t heads,
                          const Tensor& padding_BM, Drop drop, bool torch_dropout) {
  const int64_t d = q_BND.size(-1) / heads;
  const auto split = [&](const Tensor& x) { return x.unflatten(-1, {heads, d}).transpose(1, 2); };
  Tensor scores =
      at::matmul(split(q_BND) * (1.0 / std::sqrt(static_cast<double>(d))), split(k_BMD).transpose(2, 3));
  if (padding_BM.defined())
    scores =
        scores.masked_fill(padding_BM.unsqueeze(1).unsqueeze(1), -std::numeric_limits<double>::infinity());
  scores = at::softmax(scores, -1);
  const Tensor weights =
      torch_dropout && drop.active() ? at::dropout(scores, drop.probability, true) : dropout(scores, drop);
  return at::matmul(weights, split(v_BMD)).transpose(1, 2).flatten(2);
}

}  // namespace attnlab
