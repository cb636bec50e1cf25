#include "attention/linear.h"

#include "attention/feature_map.h"

namespace attnlab {
namespace {

constexpr double linear_eps = 1e-6;  // the released code's (fast-transformers)

Tensor elu_plus_one(const Tensor& x) { return torch::elu(x) + 1.0; }

}  // namespace

void LinearOptions::visit(Fields&) {}

std::shared_ptr<AttentionImpl> LinearOptions::build(const AttentionShape& shape) const {
  return std::make_shared<LinearAttentionImpl>(shape);
}

LinearAttentionImpl::LinearAttentionImpl(const AttentionShape& shape) : ProjectedAttentionImpl(shape) {}

AttentionOutput LinearAttentionImpl::forward(const Tensor& query_BND, const Tensor& context_BMD,
                                             const Masks& masks, const Tensor&) {
  const int64_t heads = shape_.heads;
  const Tensor q_BHNd = split_heads(elu_plus_one(query_(query_BND)), heads);
  const Tensor k_BHMd =
      without_padding(split_heads(elu_plus_one(key_(context_BMD)), heads), masks.context_BM);
  const Tensor v_BHMd = split_heads(value_(context_BMD), heads);
  return {output_(merge_heads(feature_attention(q_BHNd, k_BHMd, v_BHMd, linear_eps))), {}};
}

double LinearAttentionImpl::flops(int64_t n, int64_t m) const {
  const int64_t d = shape_.dim, head = d / shape_.heads;
  return 2 * product_flops(n, d, d) + 2 * product_flops(m, d, d) +
         feature_attention_flops(n, m, shape_.heads, head, head);
}

}  // namespace attnlab
