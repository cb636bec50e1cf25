#include "models/translator.h"

#include <cmath>
#include <optional>

#include "attention/shape.h"
#include "core/error.h"

namespace attnlab {
namespace {

struct Misfit {
  const char* key;
  std::string sentence;
};

/// What in the decoder does not fit the state that the encoder carries; nothing where all does.
std::optional<Misfit> misfit(const TranslatorOptions& o) {
  const int64_t carried = o.encoder.attention->state_length(), read = o.cross_attention->state_length();
  if (read != 0 && read != carried)
    return Misfit{"cross_attention",
                  fmt::format("reads {} rows of a carried state, and the encoder's attention carries {}",
                              read, carried > 0 ? std::to_string(carried) : "none")};
  if (o.cross_attention->counts_queries())
    return Misfit{
        "cross_attention",
        fmt::format("{} goes by where a query stands among all, and a translation is made one by one",
                    o.cross_attention.name())};
  if (o.self_attention->reads_state() && carried == 0)
    return Misfit{"self_attention", "reads a carried state, and the encoder's attention carries none"};
  return std::nullopt;
}

}  // namespace

TranslatorOptions::TranslatorOptions() {
  encoder.dim = 512;
  encoder.layers = 6;
  encoder.heads = 8;
  encoder.ffn_dim = 2048;
  encoder.activation = Activation::relu;
  encoder.positions = PositionKind::sinusoidal;
  encoder.embedding_norm = false;
  encoder.scale_embeddings = true;
  encoder.state_scale_and_positions = true;
  encoder.initialisation = Initialisation::translation;
}

void TranslatorOptions::visit(Fields& f) {
  f("encoder", encoder, "the encoder; its sizes, dropouts, norms and positions are the decoder's too");
  f.require(!encoder.embedding_norm, "encoder", "embedding_norm is for encoders alone: the decoder has none");
  f("decoder_layers", decoder_layers, Range{1, 1024}, "layers of the decoder");
  f("shared_embeddings", shared_embeddings,
    {{"all", SharedEmbeddings::all}, {"target", SharedEmbeddings::target}, {"none", SharedEmbeddings::none}},
    "one table for source, target and output projection; for target and projection; or three tables");
  f("self_attention", self_attention, "how the target's tokens read those before them");
  f("cross_attention", cross_attention, "how the target's tokens read the source");
  const std::optional<Misfit> found = misfit(*this);
  f.require(!found, found ? found->key : "", found ? found->sentence : "");
}

TranslatorImpl::TranslatorImpl(const TranslatorOptions& options, int64_t vocabulary, int64_t max_length)
    : options_(options), vocabulary_(vocabulary), max_length_(max_length) {
  if (const auto found = misfit(options)) user_error("{} {}", found->key, found->sentence);
  const EncoderOptions& e = options.encoder;
  encoder_ = register_module("encoder", Encoder(e, vocabulary, max_length));
  if (options.shared_embeddings != SharedEmbeddings::all)
    target_tokens_ = register_module(
        "target_tokens",
        torch::nn::Embedding(torch::nn::EmbeddingOptions(vocabulary, e.dim).padding_idx(padding_id)));
  positions_ =
      register_module("target_positions", Positions(e.positions, max_length, e.dim, e.initialisation));
  layers_ = register_module("layers", torch::nn::ModuleList());
  const EncoderLayerOptions layer{
      e.dim, e.ffn_dim, e.activation, e.norm_first, e.dropout, e.activation_dropout, e.recompute};
  const AttentionShape shape{e.dim, e.heads, max_length, e.attention_dropout};
  for (int64_t i = 0; i < options.decoder_layers; ++i)
    layers_->push_back(
        TargetLayer(layer, options.self_attention->build(shape), options.cross_attention->build(shape)));
  const int64_t l = encoder_->state_length();
  const auto norm = [&](const char* name) { return register_module(name, layer_norm_of(e.dim)); };
  if (e.norm_first) final_norm_ = norm("final_norm");
  if (e.norm_first && l > 0) source_state_norm_ = norm("source_state_norm");
  if (options.shared_embeddings == SharedEmbeddings::none)
    projection_VD_ = register_parameter("projection", torch::empty({vocabulary, e.dim}));

  initialise_linears(*layers_, e.initialisation);
  if (!target_tokens_.is_empty())
    initialise_embedding(target_tokens_->weight, EmbeddingKind::token, e.initialisation, padding_id);
  if (projection_VD_.defined())
    torch::nn::init::normal_(projection_VD_, 0.0, 1.0 / std::sqrt(static_cast<double>(e.dim)));
}

const Tensor& TranslatorImpl::target_weight() const {
  return target_tokens_.is_empty() ? encoder_->token_weight() : target_tokens_->weight;
}

const Tensor& TranslatorImpl::projection() const {
  return projection_VD_.defined() ? projection_VD_ : target_weight();
}

Tensor TranslatorImpl::embedded(const Tensor& ids) const {
  const Tensor x = at::embedding(target_weight(), ids, padding_id);
  return options_.encoder.scale_embeddings ? x * std::sqrt(static_cast<double>(options_.encoder.dim)) : x;
}

Encoded TranslatorImpl::encode(const Tensor& ids_BN, const Tensor& padding_BN) {
  Encoded source = encoder_->encode(ids_BN, padding_BN);
  if (!source_state_norm_.is_empty())
    source.state_BLD = normalised({}, source.state_BLD, {}, source_state_norm_);
  return source;
}

Tensor TranslatorImpl::decode(const Tensor& ids_BT, const Tensor& padding_BT, const Encoded& source) {
  Tensor x_BTD = embedded(ids_BT);
  positions_->add_to(x_BTD, padding_BT);
  TargetLayerImpl::Output h{dropout(x_BTD, Drop::draw(options_.encoder.dropout, is_training())),
                            source.state_BLD};
  for (const auto& layer : *layers_)
    h = layer->as<TargetLayer>()->forward(std::move(h.x_BTD), padding_BT, source, std::move(h.state_BLD));
  return final_norm_.is_empty() ? h.x_BTD : normalised({}, h.x_BTD, {}, final_norm_);
}

std::vector<TargetLayerImpl::Steps> TranslatorImpl::open(const Encoded& source) {
  Tensor state_SLD = source.state_BLD;
  std::vector<TargetLayerImpl::Steps> steps;
  for (const auto& layer : *layers_) steps.push_back(layer->as<TargetLayer>()->open(source, state_SLD));
  return steps;
}

Tensor TranslatorImpl::step(const Tensor& ids_R, int64_t token, std::vector<TargetLayerImpl::Steps>& layers,
                            int64_t beam) {
  Tensor x_RD = embedded(ids_R);
  positions_->add_at(x_RD, token);
  for (std::size_t i = 0; i < layers.size(); ++i)
    x_RD = layers_[i]->as<TargetLayer>()->step(std::move(x_RD), layers[i], beam);
  return final_norm_.is_empty() ? x_RD : normalised({}, x_RD, {}, final_norm_);
}

double TranslatorImpl::flops(int64_t source_tokens, int64_t target_tokens) const {
  const EncoderOptions& e = options_.encoder;
  double sum = encoder_->flops(source_tokens) + product_flops(target_tokens, e.dim, vocabulary_);
  for (const auto& module : *layers_) {
    auto& layer = *module->as<TargetLayer>();
    sum += layer.self_attention().flops(target_tokens, encoder_->state_length()) +
           layer.cross_attention().flops(target_tokens, source_tokens) +
           2 * product_flops(target_tokens, e.dim, e.ffn_dim);
  }
  return sum;
}

}  // namespace attnlab
