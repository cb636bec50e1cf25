#include "models/encoder_layer.h"

#include <utility>

#include "attention/shape.h"

namespace attnlab {

torch::nn::LayerNorm layer_norm_of(int64_t d) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({d}).eps(norm_eps));
}

Tensor normalised(const Tensor& residual, const Tensor& x, Drop drop, const torch::nn::LayerNorm& norm) {
  return add_norm(residual, x, drop, norm->weight, norm->bias, norm_eps);
}

Tensor feed_forward_of(const Tensor& x, const Linear& in, const Linear& out,
                       const EncoderLayerOptions& options, bool training) {
  return feed_forward(x, in->weight, in->bias, out->weight, out->bias, options.activation,
                      Drop::draw(options.activation_dropout, training), options.recompute);
}

EncoderLayerImpl::EncoderLayerImpl(const EncoderLayerOptions& options,
                                   std::shared_ptr<AttentionImpl> attention)
    : options_(options) {
  const int64_t d = options.dim, f = options.ffn_dim;
  const auto norm = [&](const char* name) { return register_module(name, layer_norm_of(d)); };
  attention_ = register_module("attention", std::move(attention));
  attention_norm_ = norm("attention_norm");
  if (attention_->state_length() > 0) state_norm_ = norm("state_norm");
  ffn_in_ = register_module("ffn_in", Linear(d, f));
  ffn_out_ = register_module("ffn_out", Linear(f, d));
  ffn_norm_ = norm("ffn_norm");
}

EncoderLayerImpl::Output EncoderLayerImpl::forward(Tensor x_BND, Tensor state_BLD, const Masks& masks) {
  return options_.norm_first ? pre_norm(std::move(x_BND), std::move(state_BLD), masks)
                             : post_norm(std::move(x_BND), std::move(state_BLD), masks);
}

// In both forms a tensor is given up as soon as its last reader has run: at long lengths every [B, N, D]
// counts.

EncoderLayerImpl::Output EncoderLayerImpl::post_norm(Tensor x_BND, Tensor state_BLD, const Masks& masks) {
  AttentionOutput y = attention_->forward(x_BND, x_BND, masks, state_BLD);
  x_BND = normalised(x_BND, std::exchange(y.y_BND, {}), draw(), attention_norm_);
  if (y.state_BLD.defined())
    state_BLD = normalised(state_BLD, std::exchange(y.state_BLD, {}), draw(), state_norm_);
  x_BND = normalised(x_BND, fed_forward(x_BND), draw(), ffn_norm_);
  return {std::move(x_BND), std::move(state_BLD)};
}

EncoderLayerImpl::Output EncoderLayerImpl::pre_norm(Tensor x_BND, Tensor state_BLD, const Masks& masks) {
  AttentionOutput y;
  {
    const Tensor read_BND = normalised({}, x_BND, {}, attention_norm_);
    const Tensor read_BLD = state_BLD.defined() ? normalised({}, state_BLD, {}, state_norm_) : Tensor();
    y = attention_->forward(read_BND, read_BND, masks, read_BLD);
  }
  x_BND = x_BND + dropout(std::exchange(y.y_BND, {}), draw());
  if (y.state_BLD.defined()) state_BLD = state_BLD + dropout(std::exchange(y.state_BLD, {}), draw());
  x_BND = x_BND + dropout(fed_forward(normalised({}, x_BND, {}, ffn_norm_)), draw());
  return {std::move(x_BND), std::move(state_BLD)};
}

Tensor EncoderLayerImpl::fed_forward(const Tensor& x_BND) const {
  return feed_forward_of(x_BND, ffn_in_, ffn_out_, options_, is_training());
}

double EncoderLayerImpl::flops(int64_t n) const {
  return attention_->flops(n, n) + 2 * product_flops(n, options_.dim, options_.ffn_dim);
}

}  // namespace attnlab
