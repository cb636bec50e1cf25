#include "attention/softmax.h"

#include "attention/fused.h"
#include "kernels/beam_attention.h"
#include "kernels/ops.h"

namespace attnlab {

void SoftmaxOptions::visit(Fields& f) {
  f("implementation", implementation,
    {{"eager", Implementation::eager},
     {"sdpa", Implementation::sdpa},
     {"weighted", Implementation::weighted}},
    "eager holds the n×n weights, as the textbook has it; sdpa is Torch's scaled_dot_product_attention (on "
    "the CPU fused only without dropout); weighted holds them too, softmax and dropout in one pass, for "
    "short sequences");
  f("torch_dropout", torch_dropout,
    "eager only: take the weights' dropout from Torch's operator instead of this project's faster "
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
  using enum SoftmaxOptions::Implementation;
  const auto drop = [&] { return Drop::draw(shape_.dropout, is_training()); };
  const auto y_BND = [&] {
    switch (options_.implementation) {
      case eager:
        return textbook_attention(q_BND, k_BMD, v_BMD, shape_.heads, masks.context_BM, drop(),
                                  options_.torch_dropout);
      case weighted:
        return weighted_attention(q_BND, k_BMD, v_BMD, shape_.heads, padding_bias(masks.context_BM, q_BND),
                                  drop());
      case sdpa:
        break;
    }
    return fused_attention(q_BND, k_BMD, v_BMD, shape_.heads, masks.context_BM,
                           is_training() ? shape_.dropout : 0.0);
  };
  return {output_(y_BND()), {}};
}

/// Keys and values of a context, split by heads.
class SoftmaxAttentionImpl::KeysAndValues final : public OpenedContext {
 public:
  KeysAndValues(SoftmaxAttentionImpl& attention, const Tensor& context_BMD, const Tensor& padding_BM)
      : attention_(attention) {
    const int64_t heads = attention.shape_.heads;
    keys_BHMd_ = split_heads(attention.key_(context_BMD), heads).contiguous();
    values_BHMd_ = split_heads(attention.value_(context_BMD), heads).contiguous();
    bias_BM_ = padding_bias(padding_BM, keys_BHMd_);
  }
  Tensor read(const Tensor& query_BND) override {
    SoftmaxAttentionImpl& at = attention_;
    const Tensor q_BHNd = split_heads(step_linear(at.query_, query_BND), at.shape_.heads);
    return step_linear(at.output_, context_attention(q_BHNd, keys_BHMd_, values_BHMd_, bias_BM_));
  }
  void select(const Tensor& members_B) override {
    keys_BHMd_ = keys_BHMd_.index_select(0, members_B);
    values_BHMd_ = values_BHMd_.index_select(0, members_B);
    if (bias_BM_.defined()) bias_BM_ = bias_BM_.index_select(0, members_B);
  }
  int64_t bytes() const override { return static_cast<int64_t>(keys_BHMd_.nbytes() + values_BHMd_.nbytes()); }

 private:
  SoftmaxAttentionImpl& attention_;
  Tensor keys_BHMd_, values_BHMd_, bias_BM_;
};

std::unique_ptr<OpenedContext> SoftmaxAttentionImpl::open(const Tensor& context_BMD, const Masks& masks,
                                                          const Tensor&) {
  return std::make_unique<KeysAndValues>(*this, context_BMD, masks.context_BM);
}

WeightMemory SoftmaxAttentionImpl::weight_memory(int64_t n, int64_t m, torch::DeviceType device) const {
  using enum SoftmaxOptions::Implementation;
  const bool cpu = device == torch::kCPU, drops = shape_.dropout > 0;
  if (options_.implementation == sdpa && !(cpu && drops)) return {};
  const double weights = weight_bytes(shape_.heads, n, m);
  if (options_.implementation == weighted) return {weights, weights};
  // Kept: the softmax, and with dropout its product with the mask. The mask itself is kept too by Torch's
  // dropout, in fp32 on the CPU and a byte an element elsewhere; ours is drawn again.
  const double mask = !cpu ? 0.25 : options_.implementation == sdpa || options_.torch_dropout ? 1.0 : 0.0;
  return {weights * (drops ? 2 + mask : 1), 2 * weights};
}

double SoftmaxAttentionImpl::flops(int64_t n, int64_t m) const {
  const int64_t d = shape_.dim;
  return 2 * product_flops(n, d, d) + 2 * product_flops(m, d, d) + 2 * product_flops(n, d, m);
}

}  // namespace attnlab
