// Causal Luna (Ma et al. 2021, §3.2; released code: fairseq-apollo). P is read and stays as it is.
//
//   a_j = drop(ω((x_j·W_pc)·(P·W_pq/√d)ᵀ)) ∈ R^l                per head; the rest in kernels/causal_luna.h
//
// with q = x·W_q/√d, k = x·W_k, v = x·W_v, and W_o behind the heads.
//
// Weights on disk, each {weight [D, D], bias [D]}, in brackets the released names:
//   untied  pack_query (pq_proj), query (q_proj), pack_context (pc_proj), key (k_proj), value (v_proj),
//           output (out_proj)
//   tied    pack_query, query, pack_context, key_value (c_proj), output
#pragma once

#include "attention/causal.h"
#include "kernels/causal_luna.h"
#include "kernels/linear.h"

namespace attnlab {

struct CausalLunaOptions final : CausalAttentionOptions {
  enum class Omega {
    elu,       ///< elu(x) + 1
    softplus,  ///< log2(1 + 2^x), so that ω(0) = 1
  };
  bool tie_kv = false;
  Omega omega = Omega::softplus;
  CausalLunaForm form = CausalLunaForm::scan;

  void visit(Fields& f) override;
  std::shared_ptr<CausalAttentionImpl> build(const AttentionShape& shape) const override;
  bool reads_state() const override { return true; }
};

/// ω, element-wise.
Tensor luna_omega(CausalLunaOptions::Omega kind, const Tensor& x);

class CausalLunaImpl final : public CausalAttentionImpl {
 public:
  CausalLunaImpl(const CausalLunaOptions& options, const AttentionShape& shape);
  Tensor forward(const Tensor& x_BND, const Tensor& padding_BN, const Tensor& state_BLD,
                 const Tensor& masked_BL) override;
  std::unique_ptr<CausalState> start(int64_t sentences, const Tensor& state_SLD,
                                     const Tensor& masked_SL) override;
  bool reads_state() const override { return true; }
  double flops(int64_t n, int64_t l) const override;

 private:
  class Sums;
  Tensor pack_queries(const Tensor& state_BLD);  // [B, H, L, d], divided by √d

  CausalLunaOptions options_;
  AttentionShape shape_;
  // Tied projections are one module held under both names.
  Linear pack_query_{nullptr}, pack_context_{nullptr}, query_{nullptr}, key_{nullptr}, value_{nullptr},
      output_{nullptr};
};

}  // namespace attnlab
