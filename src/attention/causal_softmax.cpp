#include "attention/causal_softmax.h"

#include "attention/shape.h"
#include "kernels/ops.h"

namespace attnlab {

void CausalSoftmaxOptions::visit(Fields& f) {
  f("implementation", implementation,
    {{"weighted", Implementation::weighted}, {"fused", Implementation::fused}},
    "weighted holds the n×n weights, softmax and dropout in one pass; fused is Torch's "
    "scaled_dot_product_attention (on the CPU fused only without dropout)");
}

std::shared_ptr<CausalAttentionImpl> CausalSoftmaxOptions::build(const AttentionShape& shape) const {
  return std::make_shared<CausalSoftmaxImpl>(*this, shape);
}

CausalSoftmaxImpl::CausalSoftmaxImpl(const CausalSoftmaxOptions& options, const AttentionShape& shape)
    : options_(options), shape_(shape) {
  check_heads(shape);
  const auto linear = [&](const char* name) {
    return register_module(name, torch::nn::Linear(shape.dim, shape.dim));
  };
  query_ = linear("query");
  key_ = linear("key");
  value_ = linear("value");
  output_ = linear("output");
}

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
  return output_(merge_heads(at::scaled_dot_product_attention(
      split_heads(q_BND, heads), split_heads(k_BND, heads), split_heads(v_BND, heads), readable,
      is_training() ? shape_.dropout : 0.0, /*is_causal=*/!readable.has_value())));
}

double CausalSoftmaxImpl::flops(int64_t n, int64_t) const {
  const int64_t d = shape_.dim;
  return 4 * product_flops(n, d, d) + 2 * product_flops(n, d, n);
}

/// Keys and values of all tokens so far, [R, H, T, d], in room that grows by half.
class CausalSoftmaxImpl::KeysAndValues final : public CausalState {
 public:
  KeysAndValues(CausalSoftmaxImpl& attention, int64_t rows) : attention_(attention), rows_(rows) {}

  Tensor read(const Tensor& x_RD) override {
    CausalSoftmaxImpl& at = attention_;
    const int64_t heads = at.shape_.heads, d = x_RD.size(1) / heads;
    make_room(heads, d, x_RD.options());
    const auto split = [&](const Tensor& y_RD) { return y_RD.view({rows_, heads, 1, d}); };
    keys_RHTd_.narrow(2, tokens_, 1).copy_(split(at.key_(x_RD)));
    values_RHTd_.narrow(2, tokens_, 1).copy_(split(at.value_(x_RD)));
    ++tokens_;
    const Tensor y_RH1d = at::scaled_dot_product_attention(
        split(at.query_(x_RD)), keys_RHTd_.narrow(2, 0, tokens_), values_RHTd_.narrow(2, 0, tokens_));
    return at.output_(y_RH1d.reshape({rows_, heads * d}));
  }

  void select(const Tensor& rows_R, const Tensor&, int64_t) override {
    rows_ = rows_R.size(0);
    if (!keys_RHTd_.defined()) return;
    keys_RHTd_ = keys_RHTd_.index_select(0, rows_R);
    values_RHTd_ = values_RHTd_.index_select(0, rows_R);
  }

  int64_t bytes() const override {
    return keys_RHTd_.defined() ? static_cast<int64_t>(keys_RHTd_.nbytes() + values_RHTd_.nbytes()) : 0;
  }

 private:
  void make_room(int64_t heads, int64_t d, const torch::TensorOptions& options) {
    const int64_t room = keys_RHTd_.defined() ? keys_RHTd_.size(2) : 0;
    if (tokens_ < room) return;
    for (Tensor* held : {&keys_RHTd_, &values_RHTd_}) {
      Tensor larger = torch::empty({rows_, heads, std::max<int64_t>(16, room + room / 2), d}, options);
      if (tokens_ > 0) larger.narrow(2, 0, tokens_).copy_(held->narrow(2, 0, tokens_));
      *held = larger;
    }
  }

  CausalSoftmaxImpl& attention_;
  int64_t rows_, tokens_ = 0;
  Tensor keys_RHTd_, values_RHTd_;
};

std::unique_ptr<CausalState> CausalSoftmaxImpl::start(int64_t sentences, const Tensor&, const Tensor&) {
  return std::make_unique<KeysAndValues>(*this, sentences);
}

}  // namespace attnlab
