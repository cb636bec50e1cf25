// Batches of sentence pairs as tensors.
#pragma once

#include <torch/torch.h>

#include "data/translation/batches.h"

namespace attnlab {

/// Ids are int64; padding is bool, true where padded, and undefined where nothing is.
struct PairTensors {
  torch::Tensor source_BN, source_padding_BN;
  torch::Tensor target_input_BT, target_padding_BT, target_output_BT;
};

PairTensors to_tensors(const PairBatch& batch, torch::Device device);

/// Sources of a batch alone, padded on the right.
struct SourceTensors {
  torch::Tensor ids_BN, padding_BN;
};
SourceTensors source_tensors(const std::vector<std::vector<int64_t>>& sources, torch::Device device);

}  // namespace attnlab
