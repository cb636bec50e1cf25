#include "models/decoder_attention.h"

#include <optional>

#include "kernels/causal_luna.h"
#include "kernels/sdpa.h"

namespace attnlab {
namespace {

/// [T, T], true where a query (row) may see a key: the last `window` up to itself.
Tensor band(int64_t t, int64_t window, const torch::Device& device) {
  const Tensor at = torch::arange(t, torch::TensorOptions().dtype(torch::kLong).device(device));
  const Tensor distance = at.unsqueeze(1) - at.unsqueeze(0);
  return (distance >= 0).logical_and(distance < window);
}

}  // namespace

template <>
const std::vector<Entry<DecoderAttentionOptions>>& registry<DecoderAttentionOptions>() {
  static const std::vector<Entry<DecoderAttentionOptions>> table = {
      entry<DecoderAttentionOptions, DecoderSoftmaxOptions>(
          "softmax", "scaled dot-product attention over the tokens so far (Vaswani et al. 2017)"),
      entry<DecoderAttentionOptions, DecoderLunaOptions>(
          "luna", "causal sums through l learned rows P (Ma et al. 2021, §3.2); constant memory a text"),
  };
  return table;
}

void DecoderLunaOptions::visit(Fields& f) {
  f("length", length, Range{1, 65536}, "rows l of P, a parameter of the model that all layers read");
  sums.visit(f);
  f("positions", positions, {{"sinusoidal", LunaPositions::sinusoidal}, {"rotary", LunaPositions::rotary}},
    "sinusoids added to the embeddings, as the paper has them; rotary: queries and keys are rotated before "
    "they are summed");
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

Tensor causal_luna_attention(const NewTokens& tokens, CausalLunaForm form) {
  const auto heads_first = [](const Tensor& x_BTHd) { return x_BTHd.transpose(1, 2); };
  return heads_first(causal_luna(heads_first(tokens.q_BTHd), heads_first(tokens.k_BTKd),
                                 heads_first(tokens.v_BTKd), heads_first(tokens.a_BTHL), {}, {}, Drop{},
                                 form));
}

}  // namespace attnlab
