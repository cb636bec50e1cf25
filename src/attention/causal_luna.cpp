#include "attention/causal_luna.h"

#include <cmath>

#include "attention/shape.h"
#include "kernels/causal_luna.h"

namespace attnlab {

Tensor luna_omega(CausalLunaOptions::Omega kind, const Tensor& x) {
  if (kind == CausalLunaOptions::Omega::elu) return torch::elu(x) + 1;
  const double ln2 = std::log(2.0);
  return at::softplus(x, /*beta=*/ln2);  // ln(1 + e^(x·ln 2)) / ln 2
}

void CausalLunaOptions::visit(Fields& f) {
  f("tie_kv", tie_kv, "one projection for keys and values: 5 linears instead of 6");
  f("omega", omega, {{"elu", Omega::elu}, {"softplus", Omega::softplus}},
    "ω, which keeps the weights of the causal sums positive: elu(x)+1, or log2(1+2^x) as released");
  f("form", form,
    {{"scan", CausalLunaForm::scan},
     {"chunks", CausalLunaForm::chunks},
     {"outer_products", CausalLunaForm::outer_products}},
    "of a text at once: this project's operator, Torch's products over chunks of 64 tokens, or the released "
    "code's sums of outer products, which hold H·N·l·d numbers");
}

std::shared_ptr<CausalAttentionImpl> CausalLunaOptions::build(const AttentionShape& shape) const {
  return std::make_shared<CausalLunaImpl>(*this, shape);
}

CausalLunaImpl::CausalLunaImpl(const CausalLunaOptions& options, const AttentionShape& shape)
    : options_(options), shape_(shape) {
  check_heads(shape);
  const auto linear = [&](const char* name) { return register_module(name, Linear(shape.dim, shape.dim)); };
  pack_query_ = linear("pack_query");
  query_ = linear("query");
  pack_context_ = linear("pack_context");
  key_ = linear(options.tie_kv ? "key_value" : "key");
  value_ = options.tie_kv ? key_ : linear("value");
  output_ = linear("output");
}

Tensor CausalLunaImpl::pack_queries(const Tensor& state_BLD) {
  ensure(state_BLD.defined(), "a state P for causal Luna to read");
  const double scale = 1.0 / std::sqrt(static_cast<double>(shape_.dim / shape_.heads));
  return split_heads(pack_query_(state_BLD) * scale, shape_.heads);
}

Tensor CausalLunaImpl::forward(const Tensor& x_BND, const Tensor& padding_BN, const Tensor& state_BLD,
                               const Tensor& masked_BL) {
  const int64_t heads = shape_.heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(shape_.dim / heads));
  const Tensor pack_BHLd = pack_queries(state_BLD);
  Tensor a_BHNL = luna_omega(options_.omega,
                             split_heads(pack_context_(x_BND), heads).matmul(pack_BHLd.transpose(-2, -1)));
  a_BHNL = dropout(a_BHNL, Drop::draw(shape_.dropout, is_training()));
  Tensor counts_BN;
  if (padding_BN.defined()) {
    // A padded token adds nothing to the sums, and does not count.
    a_BHNL = a_BHNL.masked_fill(padding_BN.unsqueeze(1).unsqueeze(-1), 0.0);
    counts_BN = padding_BN.logical_not().cumsum(1);
  }
  const Tensor q_BND = query_(x_BND) * scale, k_BND = key_(x_BND);
  const Tensor v_BND = options_.tie_kv ? k_BND : value_(x_BND);
  return output_(merge_heads(causal_luna(split_heads(q_BND, heads), split_heads(k_BND, heads),
                                         split_heads(v_BND, heads), a_BHNL, counts_BN, masked_BL,
                                         Drop::draw(shape_.dropout, is_training()), options_.form)));
}

double CausalLunaImpl::flops(int64_t n, int64_t l) const {
  const int64_t d = shape_.dim;
  const double linears = options_.tie_kv ? 4 : 5;
  // Scores, both sums, both reads of them: five products of n×l with each head's d, the products inside
  // chunks aside.
  return product_flops(l, d, d) + linears * product_flops(n, d, d) + 5 * product_flops(n, d, l);
}

/// The accumulators of one layer; what depends on P alone is kept a sentence, not a text.
class CausalLunaImpl::Sums final : public CausalState {
 public:
  Sums(CausalLunaImpl& attention, int64_t sentences, Tensor pack_SHLd, Tensor masked_SL)
      : attention_(attention),
        pack_SHLd_(std::move(pack_SHLd)),
        masked_SL_(std::move(masked_SL)),
        masked_RL_(masked_SL_) {
    sums_ = CausalLunaSums::of_nothing(sentences, pack_SHLd_.size(1), pack_SHLd_.size(2), pack_SHLd_.size(3),
                                       pack_SHLd_);
  }

  Tensor read(const Tensor& x_RD) override {
    CausalLunaImpl& at = attention_;
    const int64_t heads = at.shape_.heads, rows = x_RD.size(0), d = x_RD.size(1) / heads;
    const auto split = [&](const Tensor& y_RD) { return y_RD.view({rows, heads, d}); };
    const Tensor context_SHkd =
        step_linear(at.pack_context_, x_RD).view({-1, beam_, heads, d}).transpose(1, 2);
    const Tensor a_RHL = luna_omega(at.options_.omega, context_SHkd.matmul(pack_SHLd_.transpose(-2, -1)))
                             .transpose(1, 2)
                             .reshape({rows, heads, -1});
    const Tensor q_RD = step_linear(at.query_, x_RD) * (1.0 / std::sqrt(static_cast<double>(d))),
                 k_RD = step_linear(at.key_, x_RD);
    const Tensor v_RD = at.options_.tie_kv ? k_RD : step_linear(at.value_, x_RD);
    return step_linear(
        at.output_,
        causal_luna_step(sums_, split(q_RD), split(k_RD), split(v_RD), a_RHL, masked_RL_).flatten(1));
  }

  void select(const Tensor& rows_R, const Tensor& sentences_S, int64_t beam) override {
    sums_.rows_R = sums_.rows_R.defined() ? sums_.rows_R.index_select(0, rows_R) : rows_R;
    if (sentences_S.defined()) {
      pack_SHLd_ = pack_SHLd_.index_select(0, sentences_S);
      if (masked_SL_.defined()) masked_SL_ = masked_SL_.index_select(0, sentences_S);
    }
    if (masked_SL_.defined() && (sentences_S.defined() || beam != beam_))
      masked_RL_ = masked_SL_.repeat_interleave(beam, 0);
    beam_ = beam;
  }

  int64_t bytes() const override {
    return static_cast<int64_t>(sums_.sums_RHL2d.nbytes() + pack_SHLd_.nbytes());
  }

 private:
  CausalLunaImpl& attention_;
  Tensor pack_SHLd_, masked_SL_, masked_RL_;  ///< the last by text
  CausalLunaSums sums_;
  int64_t beam_ = 1;
};

std::unique_ptr<CausalState> CausalLunaImpl::start(int64_t sentences, const Tensor& state_SLD,
                                                   const Tensor& masked_SL) {
  return std::make_unique<Sums>(*this, sentences, pack_queries(state_SLD), masked_SL);
}

}  // namespace attnlab
