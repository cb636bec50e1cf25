// Batches of token ids as tensors.
#pragma once

#include <torch/torch.h>

#include "data/batches.h"

namespace attnlab {

struct TokenTensors {
  torch::Tensor ids_BN;      ///< int64
  torch::Tensor padding_BN;  ///< bool, true where padded; undefined where nothing is
  torch::Tensor labels_B;    ///< int64
  int64_t tokens = 0;        ///< without padding
};

TokenTensors to_tensors(const TokenBatch& batch, torch::Device device);

}  // namespace attnlab
