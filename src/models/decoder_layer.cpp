#include "models/decoder_layer.h"

#include <fmt/ranges.h>

#include <cmath>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "core/error.h"
#include "kernels/decoder_ops.h"

namespace attnlab {

WeightImpl::WeightImpl(at::IntArrayRef shape, const torch::TensorOptions& options, bool with_bias)
    : tensor_(register_parameter("weight", torch::empty(shape, options))) {
  if (with_bias) bias_ = register_parameter("bias", torch::empty({shape[0]}, options));
}

void WeightImpl::assign(const std::string& name, Tensor tensor) {
  Tensor* own = parameters_.find(name);
  ensure(own != nullptr, "a weight called '{}'", name);
  ensure(tensor.sizes() == own->sizes(), "a {} of shape {}, not {}", name, fmt::join(own->sizes(), "×"),
         fmt::join(tensor.sizes(), "×"));
  *own = std::move(tensor);
  (name == "bias" ? bias_ : tensor_) = *own;
}

Tensor project(const Tensor& x, const Weight& weight) { return std::move(project(x, {weight})[0]); }

std::vector<Tensor> project(const Tensor& x, std::initializer_list<Weight> weights) {
  c10::SmallVector<Tensor, 3> tensors;
  for (const Weight& weight : weights) tensors.push_back(**weight);
  std::vector<Tensor> all = thin_linears(x, tensors);
  for (std::size_t i = 0; const Weight& weight : weights) {
    if (weight->bias().defined()) all[i] = all[i] + weight->bias().to(all[i].dtype());
    ++i;
  }
  return all;
}

Tensor rms_norm(const Tensor& x, const Weight& weight, double eps) { return rms_norm(x, **weight, eps); }

DecoderLayerImpl::DecoderLayerImpl(const DecoderOptions& options, const torch::TensorOptions& tensors,
                                   Weight luna_state)
    : options_(options), luna_state_(std::move(luna_state)) {
  const int64_t d = options.dim, f = options.ffn_dim;
  const int64_t all_q = options.heads * options.head_dim, all_kv = options.kv_heads * options.head_dim;
  const auto weight = [&](torch::nn::Module& parent, const char* name, std::vector<int64_t> shape,
                          bool with_bias = false) {
    return parent.register_module(name, Weight(shape, tensors, with_bias));
  };
  // Plain modules in between only give their children's names a prefix.
  const auto attention = register_module("self_attn", std::make_shared<torch::nn::Module>());
  q_ = weight(*attention, "q_proj", {all_q, d}, options.qkv_bias);
  const auto* luna = options.luna();
  const bool tied = luna && luna->sums.tie_kv;
  k_ = weight(*attention, tied ? "kv_proj" : "k_proj", {all_kv, d}, options.qkv_bias);
  v_ = tied ? k_ : weight(*attention, "v_proj", {all_kv, d}, options.qkv_bias);
  o_ = weight(*attention, "o_proj", {d, all_q}, options.o_bias);
  if (options.qk_norm) {
    q_norm_ = weight(*attention, "q_norm", {options.head_dim});
    k_norm_ = weight(*attention, "k_norm", {options.head_dim});
  }
  if (luna) {
    pack_query_ = weight(*attention, "pack_query", {all_q, d});
    pack_context_ = weight(*attention, "pack_context", {all_q, d});
  }
  const auto mlp = register_module("mlp", std::make_shared<torch::nn::Module>());
  gate_ = weight(*mlp, "gate_proj", {f, d});
  up_ = weight(*mlp, "up_proj", {f, d});
  down_ = weight(*mlp, "down_proj", {d, f});
  input_norm_ = weight(*this, "input_layernorm", {d});
  attention_norm_ = weight(*this, "post_attention_layernorm", {d});
}

Tensor DecoderLayerImpl::forward(const Tensor& x_BTD, NewTokens tokens, const Rope& rope, LayerState* state) {
  const Tensor attended_BTD = x_BTD + attention(x_BTD, std::move(tokens), rope, state);
  return attended_BTD + feed_forward(attended_BTD);
}

Tensor DecoderLayerImpl::attention(const Tensor& x_BTD, NewTokens tokens, const Rope& rope,
                                   LayerState* state) const {
  const Tensor normed_BTD = rms_norm(x_BTD, input_norm_, options_.norm_eps);
  const bool tied = k_.get() == v_.get();
  const auto projected = tied ? project(normed_BTD, {q_, k_}) : project(normed_BTD, {q_, k_, v_});
  const auto heads = [&](const Tensor& x_BTF, const Weight& norm) {
    const Tensor split = x_BTF.unflatten(-1, {x_BTF.size(-1) / options_.head_dim, options_.head_dim});
    return norm.is_empty() ? split : rms_norm(split, norm, options_.norm_eps);
  };
  tokens.q_BTHd = heads(projected[0], q_norm_);
  tokens.k_BTKd = heads(projected[1], k_norm_);
  tokens.v_BTKd = heads(projected.back(), nullptr);
  if (options_.luna()) {
    tokens.a_BTHL = luna_weights(normed_BTD, state);
    take_into_sums(tokens, rope);
  }
  return project(attend(tokens, rope, state).flatten(2), o_);
}

Tensor DecoderLayerImpl::attend(const NewTokens& tokens, const Rope& rope, LayerState* state) const {
  if (state) return state->attend(tokens, rope);
  const auto* luna = options_.luna();
  return luna ? causal_luna_attention(tokens, luna->sums.form)
              : causal_attention(tokens, rope, options_.sliding_window);
}

void DecoderLayerImpl::take_into_sums(NewTokens& tokens, const Rope& rope) const {
  if (options_.luna()->positions == LunaPositions::rotary)
    std::tie(tokens.q_BTHd, tokens.k_BTKd) = rope.rotate(tokens.q_BTHd, tokens.k_BTKd, tokens.positions_BT);
  tokens.q_BTHd = tokens.q_BTHd / std::sqrt(static_cast<double>(options_.head_dim));
}

Tensor DecoderLayerImpl::pack_queries(torch::ScalarType type) const {
  const double scale = 1.0 / std::sqrt(static_cast<double>(options_.head_dim));
  return (project((**luna_state_).to(type), pack_query_) * scale)
      .unflatten(-1, {options_.heads, options_.head_dim})
      .permute({1, 2, 0});
}

Tensor DecoderLayerImpl::luna_weights(const Tensor& normed_BTD, LayerState* state) const {
  // While a text goes on weights stay, and so does what they make of P.
  Tensor pack_HdL = state ? state->prepared : Tensor();
  if (!pack_HdL.defined()) pack_HdL = pack_queries(normed_BTD.scalar_type());
  if (state) state->prepared = pack_HdL;
  const Tensor context_BHTd =
      project(normed_BTD, pack_context_).unflatten(-1, {options_.heads, options_.head_dim}).transpose(1, 2);
  return luna_omega(options_.luna()->sums.omega, context_BHTd.matmul(pack_HdL)).transpose(1, 2);
}

Tensor DecoderLayerImpl::feed_forward(const Tensor& x_BTD) const {
  const Tensor normed_BTD = rms_norm(x_BTD, attention_norm_, options_.norm_eps);
  const auto projected = project(normed_BTD, {gate_, up_});
  return project(gated_silu(projected[0], projected[1]), down_);
}

}  // namespace attnlab
