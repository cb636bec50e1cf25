#include "tasks/token_tensors.h"

#include <numeric>

#include "kernels/on_device.h"

namespace attnlab {

TokenTensors to_tensors(const TokenBatch& batch, torch::Device device) {
  TokenTensors t;
  t.ids_BN = on_device(torch::tensor(batch.ids, torch::kLong).view({batch.rows, batch.length}), device);
  if (batch.padded()) t.padding_BN = t.ids_BN.eq(TokenLayout::pad);
  t.labels_B = on_device(torch::tensor(batch.labels, torch::kLong), device);
  t.tokens = std::accumulate(batch.lengths.begin(), batch.lengths.end(), int64_t{0});
  return t;
}

}  // namespace attnlab
