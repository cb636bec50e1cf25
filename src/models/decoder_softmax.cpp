#include "models/decoder_softmax.h"

#include <algorithm>
#include <optional>

#include "attention/shape.h"
#include "kernels/sdpa.h"
#include "models/decoder_options.h"

namespace attnlab {
namespace {

/// [T, T], true where a query (row) may see a key: the last `window` up to itself.
Tensor band(int64_t t, int64_t window, const torch::Device& device) {
  const Tensor at = torch::arange(t, torch::TensorOptions().dtype(torch::kLong).device(device));
  const Tensor distance = at.unsqueeze(1) - at.unsqueeze(0);
  return (distance >= 0).logical_and(distance < window);
}

class DecoderSoftmaxImpl final : public DecoderAttentionImpl {
 public:
  DecoderSoftmaxImpl(const DecoderOptions& sizes, const torch::TensorOptions& tensors)
      : DecoderAttentionImpl(sizes, tensors, false), window_(sizes.sliding_window) {}

 private:
  Tensor read(const Tensor&, NewTokens& tokens, const Rope& rope, LayerState* state) const override {
    return state ? state->attend(tokens, rope) : causal_attention(tokens, rope, window_);
  }

  int64_t window_;
};

}  // namespace

std::shared_ptr<DecoderAttentionImpl> DecoderSoftmaxOptions::build(const DecoderOptions& sizes,
                                                                   const torch::TensorOptions& tensors,
                                                                   const Weight&) const {
  return std::make_shared<DecoderSoftmaxImpl>(sizes, tensors);
}

double DecoderSoftmaxOptions::flops(const DecoderOptions& sizes, int64_t kept, int64_t length) const {
  const int64_t queries = sizes.heads * sizes.head_dim, keys = sizes.kv_heads * sizes.head_dim;
  int64_t most = kept == 0 ? length : std::min(kept + 1, length);
  if (sizes.sliding_window > 0) most = std::min(most, sizes.sliding_window);
  const int64_t pairs = most * (most + 1) / 2 + (length - most) * most;  // of a query and a live state
  return product_flops(length, sizes.dim, 2 * queries + 2 * keys) + product_flops(pairs, 2, queries);
}

Tensor causal_attention(const NewTokens& tokens, const Rope& rope, int64_t window) {
  const auto [q_BTHd, k_BTKd] = rope.rotate(tokens.q_BTHd, tokens.k_BTKd, tokens.positions_BT);
  const Tensor q_BHTd = q_BTHd.transpose(1, 2), k_BKTd = k_BTKd.transpose(1, 2);
  const Tensor v_BKTd = tokens.v_BTKd.transpose(1, 2);
  const int64_t t = q_BHTd.size(2);
  const bool shared = q_BHTd.size(1) != k_BKTd.size(1);
  const bool banded = window > 0 && window < t;
  const std::optional<Tensor> mask =
      banded ? std::optional<Tensor>(band(t, window, q_BHTd.device())) : std::nullopt;
  return sdpa(q_BHTd, k_BKTd, v_BKTd, {.mask = mask, .causal = !banded, .shared_heads = shared})
      .transpose(1, 2);
}

}  // namespace attnlab
