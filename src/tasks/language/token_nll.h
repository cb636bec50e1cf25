// What a decoder's tokens cost, from its hidden states.
#pragma once

#include <torch/torch.h>

#include "models/decoder.h"

namespace attnlab {

/// −log p in nats, double [N], of the targets [N] under the hidden states [N, D] that predict them. Logits
/// are made in slices: of a large vocabulary they would take more memory than all else. No gradient.
torch::Tensor token_nll(Decoder decoder, const torch::Tensor& hidden_ND, const torch::Tensor& targets_N);

}  // namespace attnlab
