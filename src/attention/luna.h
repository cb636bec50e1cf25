// Luna: attention in two steps through a short extra sequence P, linear in the sequence's length (Ma et al.
// 2021, arXiv 2106.01540, §3; released code: fairseq-apollo).
//
//   pack    Y_P = drop(softmax((P·W_pq)/√d · (C·W_pk)ᵀ)) · (C·W_pv)                per head
//   unpack  Y_X = drop(softmax((X·W_q)/√d · (Y_P·W_k)ᵀ)) · (Y_P·W_v) · W_o         per head, but for W_o
//
// There is no output projection after pack, and unpack reads Y_P before residual and norm. P is the carried
// state; its update Y_P is returned raw, and the layer adds residual and LayerNorm.
//
// Weights on disk, each {weight [D, D], bias [D]}, in brackets the released names:
//   untied  pack_query (pq_proj), pack_key (pk_proj), pack_value (pv_proj), query (q_proj), key (k_proj),
//           value (v_proj), output (out_proj)
//   tied    pack_query, pack_key_value (pc_proj: W_pk = W_pv), query, key_value (c_proj: W_k = W_v), output
#pragma once

#include "attention/attention.h"
#include "kernels/linear.h"

namespace attnlab {

struct LunaOptions final : AttentionOptions {
  enum class Kernel {
    automatic,  ///< the project's fused operator where there is one, scaled_dot_product_attention on a GPU,
                ///< else plain
    plain,      ///< Torch's own operators, step by step
    sdpa,       ///< both halves by Torch's scaled_dot_product_attention
  };
  int64_t projection_length = 16;
  bool tie_kv = false;
  bool dynamic_projection = true;
  Kernel kernel = Kernel::automatic;

  void visit(Fields& f) override;
  std::shared_ptr<AttentionImpl> build(const AttentionShape& shape) const override;
  int64_t state_length() const override { return projection_length; }
};

class LunaAttentionImpl final : public AttentionImpl {
 public:
  LunaAttentionImpl(const LunaOptions& options, const AttentionShape& shape);
  AttentionOutput forward(const Tensor& query_BND, const Tensor& context_BMD, const Masks& masks,
                          const Tensor& state_BLD) override;
  int64_t state_length() const override { return options_.projection_length; }
  std::unique_ptr<OpenedContext> open(const Tensor& context_BMD, const Masks& masks,
                                      const Tensor& state_BLD) override;
  /// With dynamic projection, min(l, longest sentence) rows, and each sentence reads no more rows than it has
  /// tokens. A GPU is not waited for to know the longest: there are min(l, n) rows there, and those that no
  /// sentence reads change no result.
  StateExtent state_extent(const Tensor& padding_BN, int64_t n) const override;
  /// So many rows for sentences of these lengths, without a look at them.
  static StateExtent extent_unseen(const Tensor& lengths_B, int64_t rows);
  double flops(int64_t n, int64_t m) const override;
  WeightMemory weight_memory(int64_t n, int64_t m, torch::DeviceType device) const override;

 private:
  class Packed;
  AttentionOutput native(const Tensor& query_BND, const Tensor& context_BMD, const Masks& masks,
                         const Tensor& state_BLD);
  bool by_sdpa(const Tensor& x) const;
  double dropout() const { return is_training() ? shape_.dropout : 0.0; }
  Tensor pack(const Tensor& state_BLD, const Tensor& context_BMD, const Tensor& padding_BM);
  Tensor unpack(const Tensor& query_BND, const Tensor& packed_BLD, const Tensor& masked_BL);

  LunaOptions options_;
  AttentionShape shape_;
  // Tied projections are one module held under both names.
  Linear pack_query_{nullptr}, pack_key_{nullptr}, pack_value_{nullptr};
  Linear query_{nullptr}, key_{nullptr}, value_{nullptr}, output_{nullptr};
};

}  // namespace attnlab
