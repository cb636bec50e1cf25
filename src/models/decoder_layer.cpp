#include "models/decoder_layer.h"

#include <fmt/ranges.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "kernels/decoder_ops.h"

namespace attnlab {
namespace {

/// [T, T], true where a query (row) may see a key: the last `window` up to itself.
Tensor band(int64_t t, int64_t window, const torch::Device& device) {
  const Tensor at = torch::arange(t, torch::TensorOptions().dtype(torch::kLong).device(device));
  const Tensor distance = at.unsqueeze(1) - at.unsqueeze(0);
  return (distance >= 0).logical_and(distance < window);
}

}  // namespace

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

Tensor project(const Tensor& x, const Weight& weight) {
  const Tensor y = thin_linear(x, **weight);
  return weight->bias().defined() ? y + weight->bias().to(y.dtype()) : y;
}

Tensor rms_norm(const Tensor& x, const Weight& weight, double eps) { return rms_norm(x, **weight, eps); }

Tensor causal_attention(const NewTokens& tokens, const Rope& rope, int64_t window) {
  const Tensor q_BHTd = rope.rotate(tokens.q_BTHd, tokens.positions_BT).transpose(1, 2);
  const Tensor k_BKTd = rope.rotate(tokens.k_BTKd, tokens.positions_BT).transpose(1, 2);
  const Tensor v_BKTd = tokens.v_BTKd.transpose(1, 2);
  const int64_t t = q_BHTd.size(2);
  const bool shared = q_BHTd.size(1) != k_BKTd.size(1);
  const bool banded = window > 0 && window < t;
  const std::optional<Tensor> mask =
      banded ? std::optional<Tensor>(band(t, window, q_BHTd.device())) : std::nullopt;
  return at::scaled_dot_product_attention(q_BHTd, k_BKTd, v_BKTd, mask, 0.0, /*is_causal=*/!banded,
                                          std::nullopt, /*enable_gqa=*/shared)
      .transpose(1, 2);
}

DecoderLayerImpl::DecoderLayerImpl(const DecoderOptions& options, const torch::TensorOptions& tensors)
    : options_(options) {
  const int64_t d = options.dim, f = options.ffn_dim;
  const int64_t all_q = options.heads * options.head_dim, all_kv = options.kv_heads * options.head_dim;
  const auto weight = [&](torch::nn::Module& parent, const char* name, std::vector<int64_t> shape,
                          bool with_bias = false) {
    return parent.register_module(name, Weight(shape, tensors, with_bias));
  };
  // Plain modules in between only give their children's names a prefix.
  const auto attention = register_module("self_attn", std::make_shared<torch::nn::Module>());
  q_ = weight(*attention, "q_proj", {all_q, d}, options.qkv_bias);
  k_ = weight(*attention, "k_proj", {all_kv, d}, options.qkv_bias);
  v_ = weight(*attention, "v_proj", {all_kv, d}, options.qkv_bias);
  o_ = weight(*attention, "o_proj", {d, all_q}, options.o_bias);
  if (options.qk_norm) {
    q_norm_ = weight(*attention, "q_norm", {options.head_dim});
    k_norm_ = weight(*attention, "k_norm", {options.head_dim});
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
  const auto heads = [&](const Weight& weight, int64_t count, const Weight& norm) {
    const Tensor split = project(normed_BTD, weight).unflatten(-1, {count, options_.head_dim});
    return norm.is_empty() ? split : rms_norm(split, norm, options_.norm_eps);
  };
  tokens.q_BTHd = heads(q_, options_.heads, q_norm_);
  tokens.k_BTKd = heads(k_, options_.kv_heads, k_norm_);
  tokens.v_BTKd = heads(v_, options_.kv_heads, nullptr);
  const Tensor y_BTHd =
      state ? state->attend(tokens, rope) : causal_attention(tokens, rope, options_.sliding_window);
  return project(y_BTHd.flatten(2), o_);
}

Tensor DecoderLayerImpl::feed_forward(const Tensor& x_BTD) const {
  const Tensor normed_BTD = rms_norm(x_BTD, attention_norm_, options_.norm_eps);
  return project(gated_silu(project(normed_BTD, gate_), project(normed_BTD, up_)), down_);
}

}  // namespace attnlab
