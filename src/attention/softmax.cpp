#include "attention/softmax.h"

#include "kernels/ops.h"

namespace attnlab {

void SoftmaxOptions::visit(Fields& f) {
  f("implementation", implementation,
    {{"textbook", Implementation::textbook}, {"fused", Implementation::fused}},
    "textbook holds the n×n weights; fused is Torch's scaled_dot_product_attention (on the CPU fused only "
    "without dropout)");
  f("torch_dropout", torch_dropout,
    "textbook only: take the weights' dropout from Torch's operator instead of this project's faster "
    "generator");
}

std::shared_ptr<AttentionImpl> SoftmaxOptions::build(const AttentionShape& shape) const {
  return std::make_shared<SoftmaxAttentionImpl>(*this, shape);
}

SoftmaxAttentionImpl::SoftmaxAttentionImpl(const SoftmaxOptions& options, const AttentionShape& shape)
    : ProjectedAttentionImpl(shape), options_(options) {}

AttentionOutput SoftmaxAttentionImpl::forward(const Tensor& query_BND, const Tensor& context_BMD,
                                              const Masks& masks, const Tensor&) {
  Tensor q_BND = query_(query_BND), k_BMD = key_(context_BMD), v_BMD = value_(context_BMD);
  const bool textbook = options_.implementation == SoftmaxOptions::Implementation::textbook;
  Tensor y_BND = textbook
                     ? textbook_attention(q_BND, k_BMD, v_BMD, shape_.heads, masks.context_BM,
                                          Drop::draw(shape_.dropout, is_training()), options_.torch_dropout)
                     : fused(q_BND, k_BMD, v_BMD, masks.context_BM);
  return {output_(y_BND), {}};
}

Tensor SoftmaxAttentionImpl::fused(const Tensor& q_BND, const Tensor& k_BMD, const Tensor& v_BMD,
                                   const Tensor& padding_BM) const {
  // scaled_dot_product_attention's masks are true where a key may be read.
  std::optional<Tensor> readable_B11M;
  if (padding_BM.defined()) readable_B11M = padding_BM.logical_not().unsqueeze(1).unsqueeze(1);
  return merge_heads(at::scaled_dot_product_attention(
      split_heads(q_BND, shape_.heads), split_heads(k_BMD, shape_.heads), split_heads(v_BMD, shape_.heads),
      readable_B11M, is_training() ? shape_.dropout : 0.0));
}

WeightMemory SoftmaxAttentionImpl::weight_memory(int64_t n, int64_t m, torch::DeviceType device) const {
  const bool textbook = options_.implementation == SoftmaxOptions::Implementation::textbook;
  const bool cpu = device == torch::kCPU, drops = shape_.dropout > 0;
  if (!textbook && !(cpu && drops)) return {};
  const double weights = weight_bytes(shape_.heads, n, m);
  // Kept: the softmax, and with dropout its product with the mask. The mask itself is kept too by Torch's
  // dropout, in fp32 on the CPU and a byte an element elsewhere; ours is drawn again.
  const double mask = !cpu ? 0.25 : !textbook || options_.torch_dropout ? 1.0 : 0.0;
  return {weights * (drops ? 2 + mask : 1), 2 * weights};
}

double SoftmaxAttentionImpl::flops(int64_t n, int64_t m) const {
  const int64_t d = shape_.dim;
  return 2 * product_flops(n, d, d) + 2 * product_flops(m, d, d) + 2 * product_flops(n, d, m);
}

}  // namespace attnlab
