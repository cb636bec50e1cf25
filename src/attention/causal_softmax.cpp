#include "attention/causal_softmax.h"

#include "kernels/beam_attention.h"
#include "kernels/ops.h"
#include "kernels/sdpa.h"

namespace attnlab {

void CausalSoftmaxOptions::visit(Fields& f) {
  f("implementation", implementation,
    {{"weighted", Implementation::weighted}, {"sdpa", Implementation::sdpa}},
    "weighted holds the n×n weights, softmax and dropout in one pass; sdpa is Torch's "
    "scaled_dot_product_attention (on the CPU fused only without dropout)");
}

std::shared_ptr<CausalAttentionImpl> CausalSoftmaxOptions::build(const AttentionShape& shape) const {
  return std::make_shared<CausalSoftmaxImpl>(*this, shape);
}

CausalSoftmaxImpl::CausalSoftmaxImpl(const CausalSoftmaxOptions& options, const AttentionShape& shape)
    : ProjectedCausalAttentionImpl(shape), options_(options) {}

Tensor CausalSoftmaxImpl::forward(const Tensor& x_BND, const Tensor& padding_BN, const Tensor&,
                                  const Tensor&) {
  const Tensor q_BND = query_(x_BND), k_BND = key_(x_BND), v_BND = value_(x_BND);
  const int64_t n = x_BND.size(1);
  if (options_.implementation == CausalSoftmaxOptions::Implementation::weighted)
    return output_(weighted_attention(q_BND, k_BND, v_BND, shape_.heads, padding_bias(padding_BN, q_BND),
                                      Drop::draw(shape_.dropout, is_training()), /*causal=*/true));
  std::optional<Tensor> readable;
  if (padding_BN.defined()) {
    // A place that is padding reads itself, or its softmax would have nothing to read.
    const Tensor before_NN = torch::ones({n, n}, padding_BN.options()).tril_();
    readable = padding_BN.logical_not().unsqueeze(1).unsqueeze(1).logical_and(before_NN).logical_or(
        torch::eye(n, padding_BN.options()));
  }
  const int64_t heads = shape_.heads;
  return output_(merge_heads(sdpa(
      split_heads(q_BND, heads), split_heads(k_BND, heads), split_heads(v_BND, heads),
      {.mask = readable, .dropout = is_training() ? shape_.dropout : 0.0, .causal = !readable.has_value()})));
}

double CausalSoftmaxImpl::flops(int64_t n, int64_t) const {
  const int64_t d = shape_.dim;
  return 4 * product_flops(n, d, d) + 2 * product_flops(n, d, n);
}

class CausalSoftmaxImpl::KeysAndValues final : public CausalState {
 public:
  explicit KeysAndValues(CausalSoftmaxImpl& attention) : attention_(attention) {}

  Tensor read(const Tensor& x_RD) override {
    CausalSoftmaxImpl& at = attention_;
    cache_.add(step_linear(at.key_, x_RD), step_linear(at.value_, x_RD), at.shape_.heads);
    return step_linear(at.output_, beam_attention(step_linear(at.query_, x_RD), cache_, beam_));
  }
  void select(const Tensor& rows_R, const Tensor&, int64_t beam) override {
    cache_.select(rows_R);
    beam_ = beam;
  }
  int64_t bytes() const override { return cache_.bytes(); }

 private:
  CausalSoftmaxImpl& attention_;
  BeamCache cache_;
  int64_t beam_ = 1;
};

std::unique_ptr<CausalState> CausalSoftmaxImpl::start(int64_t, const Tensor&, const Tensor&) {
  return std::make_unique<KeysAndValues>(*this);
}

}  // namespace attnlab
