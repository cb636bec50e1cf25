#include "models/encoder.h"

#include <cmath>
#include <utility>

#include "core/error.h"

namespace attnlab {
namespace {

/// The padding that attention sees: a sentence without a single token would leave its softmax nothing to read
/// and come out as NaN, so it reads its first padded place.
Tensor with_something_to_read(const Tensor& padding_BN) {
  if (!padding_BN.defined()) return {};
  Tensor mask_BN = padding_BN.clone();
  mask_BN.select(1, 0).logical_and_(padding_BN.all(1).logical_not_());
  return mask_BN;
}

}  // namespace

void EncoderOptions::visit(Fields& f) {
  f("dim", dim, Range{1, 65536}, "model width D");
  f("layers", layers, Range{1, 1024}, "layers");
  f("heads", heads, Range{1, 1024}, "attention heads H; they divide dim");
  f.require(dim % heads == 0, "heads", fmt::format("{} heads do not divide a model width of {}", heads, dim));
  f("ffn_dim", ffn_dim, Range{1, 1048576}, "width of the feed-forward network");
  f("activation", activation, {{"relu", Activation::relu}, {"gelu", Activation::gelu}},
    "of the feed-forward network; gelu is the exact (erf) form");
  f("norm_first", norm_first,
    "LayerNorm before attention and feed-forward (pre-norm), with one more at the end, instead of after "
    "them");
  f("dropout", dropout, Range{0, 0.99}, "on embeddings and on every sublayer's output");
  f("attention_dropout", attention_dropout, Range{0, 0.99}, "on attention weights");
  f("activation_dropout", activation_dropout, Range{0, 0.99}, "inside the feed-forward network");
  f("positions", positions, {{"learned", PositionKind::learned}, {"sinusoidal", PositionKind::sinusoidal}},
    "position embeddings, counted from 2 as in fairseq");
  f.require(positions == PositionKind::learned || dim % 2 == 0, "positions",
            fmt::format("sinusoidal positions need an even dim, not {}", dim));
  f("embedding_norm", embedding_norm, "LayerNorm over the embeddings, and another over P");
  f("scale_embeddings", scale_embeddings, "token embeddings times √dim (Vaswani et al. 2017, §3.4)");
  f("state_scale_and_positions", state_scale_and_positions,
    "P enters as √dim·P + sinusoidal positions from 0, as in Luna's translation models; no effect without a "
    "carried state");
  f("zero_padded_once", zero_padded_once,
    "released LRA code: after the embeddings' LayerNorm and dropout, padded rows of X and unread rows of P "
    "become 0; no effect on other rows where the attention masks padding");
  f("initialisation", initialisation,
    {{"lra", Initialisation::lra},
     {"translation", Initialisation::translation},
     {"xavier", Initialisation::xavier}},
    "lra: N(0, 0.02), zero biases; translation: fairseq's Xavier gains in attention, embeddings "
    "N(0, dim^-1/2); xavier: Xavier uniform, zero biases, tokens N(0, 1), positions N(0, 0.02). P is always "
    "N(0, dim^-1/2)");
  f("recompute", recompute,
    "recompute the feed-forward's activations in the backward pass instead of keeping them");
  f("attention", attention, "how positions exchange information");
}

EncoderImpl::EncoderImpl(const EncoderOptions& options, int64_t vocabulary, int64_t max_length)
    : options_(options) {
  const int64_t d = options.dim;
  const auto norm = [&](const char* name) { return register_module(name, layer_norm_of(d)); };
  ensure(vocabulary > padding_id, "a vocabulary that holds the padding's id {}, not {} ids", padding_id,
         vocabulary);
  tokens_ = register_module(
      "tokens", torch::nn::Embedding(torch::nn::EmbeddingOptions(vocabulary, d).padding_idx(padding_id)));
  positions_ =
      register_module("positions", Positions(options.positions, max_length, d, options.initialisation));
  layers_ = register_module("layers", torch::nn::ModuleList());
  const EncoderLayerOptions layer{d,
                                  options.ffn_dim,
                                  options.activation,
                                  options.norm_first,
                                  options.dropout,
                                  options.activation_dropout,
                                  options.recompute};
  const AttentionShape shape{d, options.heads, max_length, options.attention_dropout};
  for (int64_t i = 0; i < options.layers; ++i)
    layers_->push_back(EncoderLayer(layer, options.attention->build(shape)));

  const int64_t l = layers_[0]->as<EncoderLayer>()->attention().state_length();
  if (l > 0) state_LD_ = register_parameter("state", torch::empty({l, d}));
  if (options.embedding_norm) embedding_norm_ = norm("embedding_norm");
  if (options.embedding_norm && l > 0) state_norm_ = norm("state_norm");
  if (options.norm_first) final_norm_ = norm("final_norm");

  initialise_linears(*this, options.initialisation);
  initialise_embedding(tokens_->weight, EmbeddingKind::token, options.initialisation, padding_id);
  if (l > 0) torch::nn::init::normal_(state_LD_, 0.0, 1.0 / std::sqrt(static_cast<double>(d)));
}

Encoded EncoderImpl::encode(const Tensor& ids_BN, const Tensor& padding_BN) {
  const Tensor mask_BN = with_something_to_read(padding_BN);
  const StateExtent extent =
      layers_[0]->as<EncoderLayer>()->attention().state_extent(mask_BN, ids_BN.size(1));
  const Masks masks{mask_BN, mask_BN, extent.masked_BL};
  EncoderLayerImpl::Output h{embed(ids_BN, padding_BN), embed_state(ids_BN.size(0), extent)};
  for (const auto& layer : *layers_)
    h = layer->as<EncoderLayer>()->forward(std::move(h.x_BND), std::move(h.state_BLD), masks);
  if (options_.norm_first) h.x_BND = normalised({}, h.x_BND, {}, final_norm_);
  return {std::move(h.x_BND), std::move(h.state_BLD), masks};
}

Tensor EncoderImpl::embed(const Tensor& ids_BN, const Tensor& padding_BN) {
  Tensor x_BND = tokens_(ids_BN);
  if (options_.scale_embeddings) x_BND.mul_(std::sqrt(static_cast<double>(options_.dim)));
  positions_->add_to(x_BND, padding_BN);
  if (options_.embedding_norm) x_BND = normalised({}, x_BND, {}, embedding_norm_);
  x_BND = dropout(x_BND, Drop::draw(options_.dropout, is_training()));
  if (options_.zero_padded_once && padding_BN.defined())
    x_BND = x_BND.masked_fill(padding_BN.unsqueeze(-1), 0.0);
  return x_BND;
}

Tensor EncoderImpl::embed_state(int64_t batch, const StateExtent& extent) {
  if (!state_LD_.defined()) return {};
  Tensor p_LD = state_LD_.narrow(0, 0, extent.rows);
  if (options_.state_scale_and_positions) {
    const auto as_state = state_LD_.options().requires_grad(false);
    if (!state_positions_LD_.defined() || state_positions_LD_.device() != state_LD_.device() ||
        state_positions_LD_.scalar_type() != state_LD_.scalar_type())
      state_positions_LD_ = sinusoidal_table(state_LD_.size(0), options_.dim).to(as_state);
    p_LD =
        p_LD * std::sqrt(static_cast<double>(options_.dim)) + state_positions_LD_.narrow(0, 0, extent.rows);
  }
  if (options_.embedding_norm) p_LD = normalised({}, p_LD, {}, state_norm_);
  // Every sentence drops its own elements of P, as in the released code.
  Tensor p_BLD = p_LD.unsqueeze(0).expand({batch, -1, -1});
  p_BLD = dropout(p_BLD, Drop::draw(options_.dropout, is_training()));
  if (options_.zero_padded_once && extent.masked_BL.defined())
    p_BLD = p_BLD.masked_fill(extent.masked_BL.unsqueeze(-1), 0.0);
  return p_BLD;
}

double EncoderImpl::flops(int64_t n) const {
  double sum = 0;
  for (const auto& layer : *layers_) sum += layer->as<EncoderLayer>()->flops(n);
  return sum;
}

}  // namespace attnlab
