#include "tasks/language/token_nll.h"

#include <algorithm>
#include <vector>

#include "kernels/decoder_ops.h"

namespace attnlab {
namespace {

/// fp32 logits at a time: what caches hold on the CPU; on a GPU as few products as memory allows.
int64_t logit_bytes(torch::Device device) { return device.is_cuda() ? int64_t{1} << 30 : int64_t{32} << 20; }

}  // namespace

torch::Tensor token_nll(Decoder decoder, const torch::Tensor& hidden_ND, const torch::Tensor& targets_N) {
  const int64_t of_a_token = decoder->options().vocabulary * int64_t{sizeof(float)};
  const int64_t rows = std::max<int64_t>(1, logit_bytes(hidden_ND.device()) / of_a_token);
  std::vector<torch::Tensor> parts;
  for (int64_t begin = 0; begin < hidden_ND.size(0); begin += rows) {
    const int64_t end = std::min(begin + rows, hidden_ND.size(0));
    parts.push_back(
        token_losses(decoder->logits(hidden_ND.slice(0, begin, end)), targets_N.slice(0, begin, end)));
  }
  return torch::cat(parts);
}

}  // namespace attnlab
