#include "models/decoder_attention.h"

#include <vector>

#include "models/decoder_luna.h"
#include "models/decoder_options.h"
#include "models/decoder_softmax.h"

namespace attnlab {

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

DecoderAttentionImpl::DecoderAttentionImpl(const DecoderOptions& sizes, const torch::TensorOptions& tensors,
                                           bool tied)
    : heads_(sizes.heads), head_dim_(sizes.head_dim), norm_eps_(sizes.norm_eps) {
  const int64_t d = sizes.dim, all_q = heads_ * head_dim_, all_kv = sizes.kv_heads * head_dim_;
  q_ = add("q_proj", {all_q, d}, tensors, sizes.qkv_bias);
  k_ = add(tied ? "kv_proj" : "k_proj", {all_kv, d}, tensors, sizes.qkv_bias);
  v_ = tied ? k_ : add("v_proj", {all_kv, d}, tensors, sizes.qkv_bias);
  o_ = add("o_proj", {d, all_q}, tensors, sizes.o_bias);
  if (sizes.qk_norm) {
    q_norm_ = add("q_norm", {head_dim_}, tensors);
    k_norm_ = add("k_norm", {head_dim_}, tensors);
  }
}

Weight DecoderAttentionImpl::add(const char* name, at::IntArrayRef shape, const torch::TensorOptions& tensors,
                                 bool with_bias) {
  return register_module(name, Weight(shape, tensors, with_bias));
}

Tensor DecoderAttentionImpl::in_heads(const Tensor& x_BTF, const Weight& norm) const {
  const Tensor split = x_BTF.unflatten(-1, {x_BTF.size(-1) / head_dim_, head_dim_});
  return norm.is_empty() ? split : rms_norm(split, norm, norm_eps_);
}

Tensor DecoderAttentionImpl::forward(const Tensor& normed_BTD, NewTokens tokens, const Rope& rope,
                                     LayerState* state) const {
  const bool tied = k_.get() == v_.get();
  const auto projected = tied ? project(normed_BTD, {q_, k_}) : project(normed_BTD, {q_, k_, v_});
  tokens.q_BTHd = in_heads(projected[0], q_norm_);
  tokens.k_BTKd = in_heads(projected[1], k_norm_);
  tokens.v_BTKd = in_heads(projected.back(), nullptr);
  return project(read(normed_BTD, tokens, rope, state).flatten(2), o_);
}

}  // namespace attnlab
