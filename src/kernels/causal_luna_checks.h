// What causal Luna demands of its operands, on any device, each refusal one sentence of a c10::Error.
// Internal to kernels/.
#pragma once

#include "kernels/ops.h"

namespace attnlab {

/// As `causal_luna` takes them.
struct CausalLunaOperands {
  const Tensor &q, &k, &v, &a;
  const Tensor &counts, &masked;  ///< may be undefined
};

void check_causal_luna(const CausalLunaOperands& x, Drop drop);

/// Whether a tensor has a shape and no numbers that could be read: Torch's fake tensors, which say that they
/// are on another device, and what else computes in Python.
bool is_without_memory(const Tensor& x);

/// Called in the backward of a scan, which autograd cannot follow: what it computes would be taken for a
/// constant, and a second derivative would be wrong without a word.
void refuse_second_derivative();

}  // namespace attnlab
