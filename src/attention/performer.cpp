#include "attention/performer.h"

#include <cmath>

#include "attention/feature_map.h"
#include "kernels/attention_weights.h"

namespace attnlab {
namespace {

// Stabilisers of the released code (fast_attention.py and LRA's copy of it).
constexpr double softmax_feature_eps = 1e-6, relu_feature_eps = 1e-3;

/// A d×d rotation drawn uniformly: Q of a Gaussian matrix with the signs of R's diagonal taken out (Mezzadri
/// 2007, arXiv math-ph/0609050, §5). With the library's own signs Q is not uniform and the features are
/// biased.
Tensor random_rotation(int64_t d) {
  const auto [q_dd, r_dd] = torch::linalg_qr(torch::randn({d, d}));
  return q_dd * r_dd.diagonal().sign();
}

/// Ω [rows, d]: rows with the length of a Gaussian vector; within each block of d rows orthogonal, if asked.
Tensor random_features(int64_t rows, int64_t d, bool orthogonal) {
  const Tensor gaussian = torch::randn({rows, d});
  if (!orthogonal) return gaussian;
  std::vector<Tensor> blocks;
  for (int64_t first = 0; first < rows; first += d)
    blocks.push_back(random_rotation(d).t().narrow(0, 0, std::min(d, rows - first)));
  return torch::cat(blocks) * gaussian.norm(2, /*dim=*/1, /*keepdim=*/true);
}

}  // namespace

void PerformerOptions::visit(Fields& f) {
  f("kernel", kernel, {{"softmax", Kernel::softmax}, {"relu", Kernel::relu}},
    "softmax: positive random features (FAVOR+); relu: ReLU of queries and keys, as the released LRA code "
    "trains");
  f("features", features, Range{1, 65536}, "random features r of a head; no effect on relu");
  f("orthogonal", orthogonal, "random features orthogonal in blocks (§2.4); no effect on relu");
}

std::shared_ptr<AttentionImpl> PerformerOptions::build(const AttentionShape& shape) const {
  return std::make_shared<PerformerAttentionImpl>(*this, shape);
}

PerformerAttentionImpl::PerformerAttentionImpl(const PerformerOptions& options, const AttentionShape& shape)
    : ProjectedAttentionImpl(shape), options_(options) {
  if (options.kernel == PerformerOptions::Kernel::softmax)
    features_Rd_ = register_buffer(
        "features", random_features(options.features, shape.dim / shape.heads, options.orthogonal));
}

AttentionOutput PerformerAttentionImpl::forward(const Tensor& query_BND, const Tensor& context_BMD,
                                                const Masks& masks, const Tensor&) {
  const int64_t heads = shape_.heads;
  const Tensor q_BHNF = query_features(split_heads(query_(query_BND), heads));
  const Tensor k_BHMF = key_features(split_heads(key_(context_BMD), heads), masks.context_BM);
  const Tensor v_BHMd = split_heads(value_(context_BMD), heads);
  // The features are positive, and so is the denominator.
  return {output_(merge_heads(feature_attention(q_BHNF, k_BHMF, v_BHMd, 0.0))), {}};
}

Tensor PerformerAttentionImpl::query_features(const Tensor& q_BHNd) const {
  if (options_.kernel == PerformerOptions::Kernel::relu) return torch::relu(q_BHNd) + relu_feature_eps;
  const Tensor x_BHNd = q_BHNd * std::pow(static_cast<double>(q_BHNd.size(-1)), -0.25);
  const Tensor s_BHNF = x_BHNd.matmul(features_Rd_.t()), length_BHN1 = x_BHNd.square().sum(-1, true) / 2;
  return torch::exp(s_BHNF - length_BHN1 - s_BHNF.amax(-1, true)) + softmax_feature_eps;
}

Tensor PerformerAttentionImpl::key_features(const Tensor& k_BHMd, const Tensor& padding_BM) const {
  if (options_.kernel == PerformerOptions::Kernel::relu)
    return without_padding(torch::relu(k_BHMd) + relu_feature_eps, padding_BM);
  const Tensor x_BHMd = k_BHMd * std::pow(static_cast<double>(k_BHMd.size(-1)), -0.25);
  Tensor s_BHMF = x_BHMd.matmul(features_Rd_.t());
  // The maximum runs over a sentence's own keys: padding must not change it.
  if (padding_BM.defined())
    s_BHMF = s_BHMF.masked_fill(padding_BM.unsqueeze(1).unsqueeze(-1), hidden_score(s_BHMF.scalar_type()));
  const Tensor length_BHM1 = x_BHMd.square().sum(-1, true) / 2;
  const Tensor k_BHMF = torch::exp(s_BHMF - length_BHM1 - s_BHMF.amax({-2, -1}, true)) + softmax_feature_eps;
  return without_padding(k_BHMF, padding_BM);
}

int64_t PerformerAttentionImpl::feature_count() const {
  return options_.kernel == PerformerOptions::Kernel::relu ? shape_.dim / shape_.heads : options_.features;
}

WeightMemory PerformerAttentionImpl::weight_memory(int64_t n, int64_t m, torch::DeviceType) const {
  // Of queries and keys: the projections, their exponentials, and the features.
  const double features = weight_bytes(shape_.heads, n + m, feature_count());
  return {3 * features, 2 * features};
}

double PerformerAttentionImpl::flops(int64_t n, int64_t m) const {
  const int64_t d = shape_.dim, head = d / shape_.heads, r = feature_count();
  const double maps = options_.kernel == PerformerOptions::Kernel::relu ? 0 : product_flops(n + m, d, r);
  return 2 * product_flops(n, d, d) + 2 * product_flops(m, d, d) + maps +
         feature_attention_flops(n, m, shape_.heads, r, head);
}

}  // namespace attnlab
