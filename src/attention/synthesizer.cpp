#include "attention/synthesizer.h"

#include <cmath>

#include "attention/flush.h"
#include "attention/shape.h"
#include "kernels/attention_weights.h"

namespace attnlab {

using Scores = SynthesizerOptions::Scores;

void SynthesizerOptions::visit(Fields& f) {
  f("scores", scores,
    {{"dense", Scores::dense}, {"random", Scores::random}, {"factorized_random", Scores::factorized_random}},
    "dense: a two-layer network of each token; random: learned, the same for every text; factorized_random: "
    "the same of low rank");
  f("rank", rank, Range{1, 65536}, "rank r of factorized_random; no effect on the others");
}

std::shared_ptr<AttentionImpl> SynthesizerOptions::build(const AttentionShape& shape) const {
  return std::make_shared<SynthesizerAttentionImpl>(*this, shape);
}

SynthesizerAttentionImpl::SynthesizerAttentionImpl(const SynthesizerOptions& options,
                                                   const AttentionShape& shape)
    : options_(options), shape_(shape) {
  check_heads(shape);
  const int64_t n = shape.max_length, d = shape.dim / shape.heads;
  value_ = register_module("value", Linear(shape.dim, shape.dim));
  output_ = register_module("output", Linear(shape.dim, shape.dim));
  const auto factor = [&](const char* name, int64_t rows, int64_t columns) {
    Tensor x = register_parameter(name, torch::empty({shape.heads, rows, columns}));
    torch::NoGradGuard no_grad;
    return x.uniform_(-1, 1).mul_(
        std::sqrt(6.0 / static_cast<double>(rows + columns)));  // Xavier, a head apart
  };
  switch (options.scores) {
    case Scores::dense:
      hidden_ = register_module("hidden", Linear(shape.dim, shape.dim));
      scores_ = register_module("scores", Linear(d, n));
      break;
    case Scores::random:
      left_ = factor("scores", n, n);
      break;
    case Scores::factorized_random:
      left_ = factor("left", n, options.rank);
      right_ = factor("right", options.rank, n);
      break;
  }
}

AttentionOutput SynthesizerAttentionImpl::forward(const Tensor& query_BND, const Tensor& context_BMD,
                                                  const Masks& masks, const Tensor&) {
  const Flush queries(masks.query_BN, query_BND.size(1)), context(masks.context_BM, context_BMD.size(1));
  check_fixed_length("synthesizer", std::max(queries.length(), context.length()), shape_.max_length);
  Tensor scores_BHNM = synthesized(queries.left(query_BND), context.length());
  // Random scores are the batch's; padding, and dropout on the weights, are each sentence's own.
  const Tensor w_BHNM = attention_weights(scores_BHNM.expand({query_BND.size(0), -1, -1, -1}),
                                          context.padding(), Drop::draw(shape_.dropout, is_training()));
  const Tensor v_BHMd = split_heads(value_(context.left(context_BMD)), shape_.heads);
  return {output_(queries.back(merge_heads(w_BHNM.matmul(v_BHMd)))), {}};
}

Tensor SynthesizerAttentionImpl::synthesized(const Tensor& query_BND, int64_t m) {
  if (options_.scores == Scores::dense) {
    const Tensor hidden_BHNd = split_heads(torch::relu(hidden_(query_BND)), shape_.heads);
    return hidden_BHNd.matmul(scores_->weight.narrow(0, 0, m).t()) + scores_->bias.narrow(0, 0, m);
  }
  const Tensor left = left_.narrow(1, 0, query_BND.size(1));
  const bool factored = options_.scores == Scores::factorized_random;
  return (factored ? left.matmul(right_.narrow(2, 0, m)) : left.narrow(2, 0, m)).unsqueeze(0);
}

WeightMemory SynthesizerAttentionImpl::weight_memory(int64_t n, int64_t m, torch::DeviceType device) const {
  const double weights = weight_bytes(shape_.heads, n, m);
  const double mask = device == torch::kCPU ? 0.0 : 0.25;  // as in the textbook form (softmax.cpp)
  return {weights * (shape_.dropout > 0 ? 2 + mask : 1), 2 * weights};
}

double SynthesizerAttentionImpl::flops(int64_t n, int64_t m) const {
  const int64_t d = shape_.dim;
  double scores = 0;
  if (options_.scores == Scores::dense) scores = product_flops(n, d, d) + product_flops(n, d, m);
  if (options_.scores == Scores::factorized_random)
    scores = static_cast<double>(shape_.heads) * product_flops(n, options_.rank, m);
  return scores + product_flops(m, d, d) + product_flops(n, d, d) + product_flops(n, d, m);
}

}  // namespace attnlab
