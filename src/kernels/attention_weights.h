// Softmax weights composed of Torch's operators: for attentions without an operator of their own, and where
// an operator's native code does not apply.
#pragma once

#include "kernels/ops.h"

namespace attnlab {

/// What stands in place of a score, or is added to it, where a key must not be read: no score comes near it.
/// Not −inf, which would make a row with nothing to read NaN and poison the gradients of all; and far enough
/// from the type's lowest number that another score or a factor of log2(e) leaves it finite.
constexpr double hidden_score(torch::ScalarType type) { return type == torch::kHalf ? -0x1p15 : -0x1p126; }

/// drop(softmax(scores)) over the last dimension, computed in fp32 at least and returned in the scores' type.
/// hidden: bool [B, M], true where no query may read, or undefined; a row that may read nothing is uniform.
Tensor attention_weights(Tensor scores_BHNM, const Tensor& hidden_BM, Drop drop);

}  // namespace attnlab
