#include "models/classifier.h"

#include "attention/shape.h"

namespace attnlab {

void ClassifierOptions::visit(Fields& f) {
  f("encoder", encoder, "embeddings and layers");
  f("head_dim", head_dim, Range{1, 1048576}, "hidden width of the two-layer head");
  f("pooling", pooling, {{"first", Pooling::first}, {"mean", Pooling::mean}},
    "what the head reads: the first token, or the mean over the true length");
  f("pooled_norm", pooled_norm, "BatchNorm over the pooled vectors");
  f("head_dropout", head_dropout, Range{0, 0.99}, "on the head's hidden layer");
}

ClassifierImpl::ClassifierImpl(const ClassifierOptions& options, int64_t vocabulary, int64_t max_length,
                               int64_t classes)
    : options_(options) {
  const int64_t d = options.encoder.dim;
  encoder_ = register_module("encoder", Encoder(options.encoder, vocabulary, max_length));
  if (options.pooled_norm) pooled_norm_ = register_module("pooled_norm", torch::nn::BatchNorm1d(d));
  hidden_ = register_module("hidden", Linear(d, options.head_dim));
  classes_ =
      register_module("classes", Linear(torch::nn::LinearOptions(options.head_dim, classes).bias(false)));
  initialise_linear(*hidden_, options.encoder.initialisation);
  initialise_linear(*classes_, options.encoder.initialisation);
}

Tensor ClassifierImpl::forward(const Tensor& ids_BN, const Tensor& padding_BN) {
  Tensor pooled_BD = pool(encoder_(ids_BN, padding_BN), padding_BN);
  if (options_.pooled_norm) pooled_BD = normalise(pooled_BD);
  const Drop drop = Drop::draw(options_.head_dropout, is_training());
  return classes_(dropout(hidden_(pooled_BD).relu(), drop));
}

Tensor ClassifierImpl::pool(const Tensor& x_BND, const Tensor& padding_BN) const {
  if (!padding_BN.defined()) return options_.pooling == Pooling::first ? x_BND.select(1, 0) : x_BND.mean(1);
  const Tensor real_BN = padding_BN.logical_not();
  if (options_.pooling == Pooling::first) {
    const Tensor first_B = real_BN.to(torch::kByte).argmax(1);
    return x_BND.index({torch::arange(x_BND.size(0), first_B.options()), first_B});
  }
  const Tensor share_BN = real_BN.to(x_BND.scalar_type()) / real_BN.sum(1, true).clamp_min(1);
  return share_BN.unsqueeze(1).bmm(x_BND).squeeze(1);
}

Tensor ClassifierImpl::normalise(const Tensor& pooled_BD) {
  // A single row has no variance: the last batch of an epoch can be one, and is then normalised as in
  // evaluation.
  if (!is_training() || pooled_BD.size(0) > 1) return pooled_norm_(pooled_BD);
  return torch::batch_norm(pooled_BD, pooled_norm_->weight, pooled_norm_->bias, pooled_norm_->running_mean,
                           pooled_norm_->running_var, false, 0.0, pooled_norm_->options.eps(), false);
}

double ClassifierImpl::flops(int64_t n) const {
  const int64_t classes = classes_->weight.size(0);
  return encoder_->flops(n) + product_flops(1, options_.encoder.dim, options_.head_dim) +
         product_flops(1, options_.head_dim, classes);
}

}  // namespace attnlab
