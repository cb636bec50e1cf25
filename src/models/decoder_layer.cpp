#include "models/decoder_layer.h"

#include <utility>
#include <vector>

#include "kernels/decoder_ops.h"

namespace attnlab {

DecoderLayerImpl::DecoderLayerImpl(const DecoderOptions& options, const torch::TensorOptions& tensors,
                                   const Weight& shared)
    : norm_eps_(options.norm_eps), attention_(options.attention->build(options, tensors, shared)) {
  const int64_t d = options.dim, f = options.ffn_dim;
  const auto weight = [&](torch::nn::Module& parent, const char* name, std::vector<int64_t> shape) {
    return parent.register_module(name, Weight(shape, tensors));
  };
  register_module("self_attn", attention_);
  // A plain module only gives its children's names a prefix.
  const auto mlp = register_module("mlp", std::make_shared<torch::nn::Module>());
  gate_ = weight(*mlp, "gate_proj", {f, d});
  up_ = weight(*mlp, "up_proj", {f, d});
  down_ = weight(*mlp, "down_proj", {d, f});
  input_norm_ = weight(*this, "input_layernorm", {d});
  attention_norm_ = weight(*this, "post_attention_layernorm", {d});
}

Tensor DecoderLayerImpl::forward(const Tensor& x_BTD, NewTokens tokens, const Rope& rope, LayerState* state) {
  const Tensor normed_BTD = rms_norm(x_BTD, input_norm_, norm_eps_);
  const Tensor attended_BTD = x_BTD + attention_->forward(normed_BTD, std::move(tokens), rope, state);
  return attended_BTD + feed_forward(attended_BTD);
}

Tensor DecoderLayerImpl::feed_forward(const Tensor& x_BTD) const {
  const Tensor normed_BTD = rms_norm(x_BTD, attention_norm_, norm_eps_);
  const auto projected = project(normed_BTD, {gate_, up_});
  return project(gated_silu(projected[0], projected[1]), down_);
}

}  // namespace attnlab
