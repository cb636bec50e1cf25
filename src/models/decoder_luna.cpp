#include "models/decoder_luna.h"

#include <cmath>
#include <tuple>

#include "attention/shape.h"
#include "core/error.h"
#include "kernels/causal_luna.h"
#include "models/decoder_options.h"

namespace attnlab {
namespace {

/// Of whole texts over themselves, without a state; has gradients. `tokens` as the sums take them.
Tensor causal_luna_attention(const NewTokens& tokens, CausalLunaForm form) {
  const auto heads_first = [](const Tensor& x_BTHd) { return x_BTHd.transpose(1, 2); };
  return heads_first(causal_luna(heads_first(tokens.q_BTHd), heads_first(tokens.k_BTKd),
                                 heads_first(tokens.v_BTKd), heads_first(tokens.a_BTHL), {}, {}, Drop{},
                                 form));
}

class DecoderLunaImpl final : public DecoderAttentionImpl {
 public:
  DecoderLunaImpl(const DecoderLunaOptions& options, const DecoderOptions& sizes,
                  const torch::TensorOptions& tensors, const Weight& rows)
      : DecoderAttentionImpl(sizes, tensors, options.sums.tie_kv), options_(options), rows_(rows) {
    pack_query_ = add("pack_query", {heads_ * head_dim_, sizes.dim}, tensors);
    pack_context_ = add("pack_context", {heads_ * head_dim_, sizes.dim}, tensors);
  }

 private:
  Tensor read(const Tensor& normed_BTD, NewTokens& tokens, const Rope& rope,
              LayerState* state) const override {
    tokens.a_BTHL = weights(normed_BTD, state);
    if (options_.positions == LunaPositions::rotary)
      std::tie(tokens.q_BTHd, tokens.k_BTKd) = rope.rotate(tokens.q_BTHd, tokens.k_BTKd, tokens.positions_BT);
    tokens.q_BTHd = tokens.q_BTHd / std::sqrt(static_cast<double>(head_dim_));
    return state ? state->attend(tokens, rope) : causal_luna_attention(tokens, options_.sums.form);
  }

  Tensor pack_queries(torch::ScalarType type) const {  // [H, d, L], divided by √d
    const double scale = 1.0 / std::sqrt(static_cast<double>(head_dim_));
    return (project((**rows_).to(type), pack_query_) * scale)
        .unflatten(-1, {heads_, head_dim_})
        .permute({1, 2, 0});
  }

  /// The tokens' weights a in the sums, [B,T,H,L].
  Tensor weights(const Tensor& normed_BTD, LayerState* state) const {
    // While a text goes on weights stay, and so does what they make of P.
    Tensor pack_HdL = state ? state->prepared : Tensor();
    if (!pack_HdL.defined()) pack_HdL = pack_queries(normed_BTD.scalar_type());
    if (state) state->prepared = pack_HdL;
    const Tensor context_BHTd =
        project(normed_BTD, pack_context_).unflatten(-1, {heads_, head_dim_}).transpose(1, 2);
    return luna_omega(options_.sums.omega, context_BHTd.matmul(pack_HdL)).transpose(1, 2);
  }

  DecoderLunaOptions options_;
  Weight rows_;  ///< the model's P, not registered here
  Weight pack_query_{nullptr}, pack_context_{nullptr};
};

}  // namespace

void DecoderLunaOptions::visit(Fields& f) {
  f("length", length, Range{1, 65536}, "rows l of P, a parameter of the model that all layers read");
  sums.visit(f);
  f("positions", positions, {{"sinusoidal", LunaPositions::sinusoidal}, {"rotary", LunaPositions::rotary}},
    "sinusoids added to the embeddings, as the paper has them; rotary: queries and keys are rotated before "
    "they are summed");
}

std::string DecoderLunaOptions::contradiction(const DecoderOptions& sizes, int64_t kv_heads) const {
  if (kv_heads != sizes.heads)
    return fmt::format(
        "Luna's sums are of every head's own keys and values: kv_heads must be {}, or 0, not {}", sizes.heads,
        kv_heads);
  if (adds_sinusoids() && sizes.dim % 2 != 0)
    return fmt::format("sinusoidal positions need an even model width, not {}", sizes.dim);
  if (sizes.sliding_window > 0)
    return fmt::format("Luna's sums are of all tokens: sliding_window must be 0, not {}",
                       sizes.sliding_window);
  return "";
}

std::shared_ptr<DecoderAttentionImpl> DecoderLunaOptions::build(const DecoderOptions& sizes,
                                                                const torch::TensorOptions& tensors,
                                                                const Weight& shared) const {
  return std::make_shared<DecoderLunaImpl>(*this, sizes, tensors, shared);
}

double DecoderLunaOptions::flops(const DecoderOptions& sizes, int64_t, int64_t n) const {
  const int64_t all = sizes.heads * sizes.head_dim;
  // The usual projections; scores of the context with P, both sums and both reads of them.
  return product_flops(n, sizes.dim, (sums.tie_kv ? 3 : 4) * all) +
         product_flops(length + n, sizes.dim, all) + 5 * product_flops(n, all, length);
}

}  // namespace attnlab
