#include "tasks/token_tensors.h"

#include <numeric>

namespace attnlab {

TokenTensors to_tensors(const TokenBatch& batch, torch::Device device) {
  TokenTensors t;
  t.ids_BN = torch::tensor(batch.ids, torch::kLong).view({batch.rows, batch.length}).to(device);
  if (batch.padded()) t.padding_BN = t.ids_BN.eq(TokenLayout::pad);
  t.labels_B = torch::tensor(batch.labels, torch::kLong).to(device);
  t.tokens = std::accumulate(batch.lengths.begin(), batch.lengths.end(), int64_t{0});
  return t;
}

}  // namespace attnlab
