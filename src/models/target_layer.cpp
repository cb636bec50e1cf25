#include "models/target_layer.h"

#include <utility>

#include "attention/shape.h"

namespace attnlab {

TargetLayerImpl::TargetLayerImpl(const EncoderLayerOptions& options,
                                 std::shared_ptr<CausalAttentionImpl> self,
                                 std::shared_ptr<AttentionImpl> cross)
    : options_(options) {
  const int64_t d = options.dim, f = options.ffn_dim;
  const auto norm = [&](const char* name) { return register_module(name, layer_norm_of(d)); };
  self_attention_ = register_module("self_attention", std::move(self));
  self_norm_ = norm("self_norm");
  cross_attention_ = register_module("cross_attention", std::move(cross));
  cross_norm_ = norm("cross_norm");
  if (cross_attention_->state_length() > 0) state_norm_ = norm("state_norm");
  ffn_in_ = register_module("ffn_in", Linear(d, f));
  ffn_out_ = register_module("ffn_out", Linear(f, d));
  ffn_norm_ = norm("ffn_norm");
}

Tensor TargetLayerImpl::read(const Tensor& x, const torch::nn::LayerNorm& norm) const {
  return options_.norm_first && x.defined() && !norm.is_empty() ? normalised({}, x, {}, norm) : x;
}

Tensor TargetLayerImpl::joined(const Tensor& x, const Tensor& y, const torch::nn::LayerNorm& norm) const {
  return options_.norm_first ? x + dropout(y, draw()) : normalised(x, y, draw(), norm);
}

Tensor TargetLayerImpl::fed_forward(const Tensor& x) const {
  return feed_forward_of(x, ffn_in_, ffn_out_, options_, is_training());
}

TargetLayerImpl::Output TargetLayerImpl::forward(Tensor x_BTD, const Tensor& padding_BT,
                                                 const Encoded& source, Tensor state_BLD) {
  const Masks masks{padding_BT, source.masks.context_BM, source.masks.state_BL};
  x_BTD =
      joined(x_BTD, self_attention_->forward(read(x_BTD, self_norm_), padding_BT, state_BLD, masks.state_BL),
             self_norm_);
  AttentionOutput y =
      cross_attention_->forward(read(x_BTD, cross_norm_), source.x_BND, masks, read(state_BLD, state_norm_));
  x_BTD = joined(x_BTD, std::exchange(y.y_BND, {}), cross_norm_);
  if (y.state_BLD.defined()) state_BLD = joined(state_BLD, std::exchange(y.state_BLD, {}), state_norm_);
  x_BTD = joined(x_BTD, fed_forward(read(x_BTD, ffn_norm_)), ffn_norm_);
  return {std::move(x_BTD), std::move(state_BLD)};
}

TargetLayerImpl::Steps TargetLayerImpl::open(const Encoded& source, Tensor& state_SLD) {
  Steps steps;
  steps.texts = self_attention_->start(source.x_BND.size(0), state_SLD, source.masks.state_BL);
  steps.source = cross_attention_->open(source.x_BND, source.masks, read(state_SLD, state_norm_));
  if (const Tensor update = steps.source->state_update(); update.defined())
    state_SLD = joined(state_SLD, update, state_norm_);
  return steps;
}

Tensor TargetLayerImpl::step(Tensor x_RD, Steps& steps, int64_t beam) {
  x_RD = joined(x_RD, steps.texts->read(read(x_RD, self_norm_)), self_norm_);
  const Tensor query_SKD = read(x_RD, cross_norm_).unflatten(0, {-1, beam});
  x_RD = joined(x_RD, steps.source->read(query_SKD).flatten(0, 1), cross_norm_);
  Tensor inner_RF = step_linear(ffn_in_, read(x_RD, ffn_norm_));
  options_.activation == Activation::relu ? inner_RF.relu_() : at::gelu_(inner_RF);
  return joined(x_RD, step_linear(ffn_out_, inner_RF), ffn_norm_);
}

}  // namespace attnlab
