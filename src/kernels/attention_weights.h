// Softmax weights composed of Torch's operators: for attentions without an operator of their own, and where
// an operator's native code does not apply.
#pragma once

#include "kernels/ops.h"

namespace attnlab {

/// drop(softmax(scores)) over the last dimension, computed in fp32 at least and returned in the scores' type.
/// hidden: bool [B, M], true where no query may read, or undefined; a row that may read nothing is uniform.
Tensor attention_weights(Tensor scores_BHNM, const Tensor& hidden_BM, Drop drop);

}  // namespace attnlab
