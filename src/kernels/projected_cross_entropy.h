// The loss of a vocabulary's projection without its logits.
#pragma once

#include "kernels/ops.h"

namespace attnlab {

/// How much of a target's probability label smoothing (Szegedy et al. 2016, arXiv 1512.00567) gives to other
/// symbols of V: `fairseq` ε/(V−1) to each of them and 1−ε to the target, `uniform` ε/V to all and 1−ε+ε/V to
/// the target (torch.nn.functional.cross_entropy). The first at ε is the second at ε·V/(V−1).
struct SmoothedTargets {
  enum class Convention { fairseq, uniform };
  double epsilon = 0.0;
  Convention convention = Convention::fairseq;
  int64_t ignored = -100;  ///< rows with this target count nothing
};

/// Sums over the rows that count, in nats; scalars in double.
struct ProjectedLoss {
  Tensor smoothed;  ///< −Σ_v q_v·log p_v for the smoothed target q; with a gradient
  Tensor nll;       ///< −log p of the target; without
};

/// Cross entropy of targets int64 [N] under softmax(hidden·weightᵀ + bias), for hidden [N, D], weight [V, D]
/// and bias [V] or undefined. Works through slices of rows: at no time do more than `slice_logits` logits
/// stand in memory, or those of `least_slice_rows` rows. The gradients of hidden, weight and bias are made in
/// the same pass, while a slice's logits are there, and only scaled in the backward (as in Liger's fused
/// linear cross entropy, arXiv 2410.10989), which may therefore run once. Products in the type of autocast
/// where that is on.
ProjectedLoss projected_cross_entropy(const Tensor& hidden_ND, const Tensor& weight_VD, const Tensor& bias_V,
                                      const Tensor& targets_N, const SmoothedTargets& by);

inline constexpr int64_t slice_logits = int64_t{4} << 20;
/// Fewer rows read and write the gradient of the weights too often: of 40,000 symbols, 104 rows at a time
/// take 15 % longer in the products.
inline constexpr int64_t least_slice_rows = 256;

}  // namespace attnlab
