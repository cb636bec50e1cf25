#include "models/decoder.h"

#include <memory>
#include <utility>
#include <vector>

#include "core/error.h"
#include "kernels/decoder_ops.h"
#include "models/positions.h"

namespace attnlab {
namespace {

constexpr double initial_deviation = 0.02;  // LlamaConfig's initializer_range

void initialise_decoder(torch::nn::Module& decoder) {
  const torch::NoGradGuard no_grad;
  for (auto& p : decoder.named_parameters()) {
    if (p.value().dim() == 1)
      p.value().fill_(p.key().ends_with(".bias") ? 0.0 : 1.0);
    else
      p.value().normal_(0.0, initial_deviation);
  }
}

}  // namespace

DecoderImpl::DecoderImpl(const DecoderOptions& options, const torch::TensorOptions& tensors)
    : options_(options.resolved()), rope_(options_.head_dim, options_.rope_theta, options_.rope_scaling) {
  const int64_t v = options_.vocabulary, d = options_.dim;
  ensure(v > 0, "a vocabulary of at least one token, not {}", v);
  const std::vector<int64_t> table{v, d};
  const auto model = register_module("model", std::make_shared<torch::nn::Module>());  // a prefix
  tokens_ = model->register_module("embed_tokens", Weight(table, tensors));
  model->register_module("layers", layers_);
  Weight shared{nullptr};
  if (const auto [name, rows] = options_.attention->shared_rows(); name)
    shared = model->register_module(name, Weight(std::vector<int64_t>{rows, d}, tensors));
  for (int64_t i = 0; i < options_.layers; ++i) layers_->push_back(DecoderLayer(options_, tensors, shared));
  norm_ = model->register_module("norm", Weight(std::vector<int64_t>{d}, tensors));
  if (!options_.tied_embeddings) head_ = register_module("lm_head", Weight(table, tensors));
  initialise_decoder(*this);
}

Tensor DecoderImpl::forward(const Tensor& ids_BT, const Tensor& positions_BT, const Tensor& padding_BT,
                            DecoderState& states, const Tensor& surprisal_BT, bool prompt_goes_on) {
  ensure(states.size() == layers_->size(), "a state for each of {} layers, not {}", layers_->size(),
         states.size());
  return run({{}, {}, {}, positions_BT, ids_BT, padding_BT, surprisal_BT, prompt_goes_on}, &states);
}

Tensor DecoderImpl::forward_training(const Tensor& ids_BT, DecoderState* states) {
  ensure(!states || states->size() == layers_->size(), "a state for each of {} layers, not {}",
         layers_->size(), states ? states->size() : 0);
  const Tensor positions_BT = torch::arange(ids_BT.size(1), ids_BT.options()).expand_as(ids_BT);
  return run({{}, {}, {}, positions_BT, ids_BT, {}, {}}, states);
}

Tensor DecoderImpl::run(const NewTokens& tokens, DecoderState* states) {
  rope_.share(tokens.positions_BT);
  Tensor x_BTD = embed(tokens);
  for (std::size_t i = 0; i < layers_->size(); ++i)
    x_BTD =
        layers_[i]->as<DecoderLayer>()->forward(x_BTD, tokens, rope_, states ? (*states)[i].get() : nullptr);
  rope_.share({});
  return rms_norm(x_BTD, norm_, options_.norm_eps);
}

Tensor DecoderImpl::embed(const NewTokens& tokens) const {
  const Tensor x_BTD = torch::embedding(**tokens_, tokens.ids_BT).to(activations().dtype());
  if (!options_.attention->adds_sinusoids()) return x_BTD;
  return x_BTD + initial_deviation * sinusoids(tokens.positions_BT, options_.dim).to(x_BTD.dtype());
}

torch::TensorOptions DecoderImpl::activations() const {
  return is_narrow(**tokens_) && !(torch::GradMode::is_enabled() && (**tokens_).requires_grad())
             ? tensors().dtype(torch::kFloat)
             : tensors();
}

Tensor DecoderImpl::logits(const Tensor& hidden) const {
  return project(hidden, options_.tied_embeddings ? tokens_ : head_);
}

void DecoderImpl::assign(const std::string& name, Tensor tensor) {
  const std::size_t dot = name.rfind('.');
  for (const auto& module : named_modules())
    if (auto* weight = dynamic_cast<WeightImpl*>(module.value().get());
        weight != nullptr && module.key() == name.substr(0, dot)) {
      weight->assign(name.substr(dot + 1), std::move(tensor));
      return;
    }
  ensure(false, "a weight called '{}'", name);
}

StateShape state_shape(const DecoderOptions& options) {
  const DecoderOptions o = options.resolved();
  return {o.layers, o.heads, o.kv_heads, o.head_dim, o.sliding_window, o.attention->rows_of_sums()};
}

int64_t parameter_count(const DecoderOptions& options) {
  const Decoder decoder(options, torch::TensorOptions().device(torch::kMeta));
  int64_t sum = 0;
  for (const auto& p : decoder->parameters()) sum += p.numel();
  return sum;
}

}  // namespace attnlab
