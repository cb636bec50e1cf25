// The most probable tokens of a vocabulary, without a softmax over all of it.
//
// Shapes: R rows, V symbols, C tokens of each row.
#pragma once

#include <vector>

#include "kernels/ops.h"

namespace attnlab {

/// All on the CPU, in double and int64.
struct TopTokens {
  Tensor log_sums_R;  ///< log Σ e^logit: log p of any token is its logit less this
  Tensor log_p_RC;    ///< in nats, most probable first, never above 0; −inf where a row has fewer tokens
  Tensor ids_RC;      ///< equal ones by id; −1 where a row has fewer
};

/// The `count` most probable tokens of each row under logits [R, V], C = min(count, V), those in `never` left
/// out although they count in the sum. A row with a NaN or +∞ has no tokens. Native for fp32 on the CPU,
/// composed of Torch's operators elsewhere (equal ones then in any order). No gradient.
TopTokens top_tokens(const Tensor& logits_RV, int64_t count, const std::vector<int64_t>& never);

}  // namespace attnlab
