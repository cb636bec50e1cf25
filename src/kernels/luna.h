// Luna attention (Ma et al. 2021, §3.1) as one native computation on the CPU in fp32.
#pragma once

#include "kernels/ops.h"

namespace attnlab {

/// A linear map: weight [out, in] and bias [out].
struct AffineMap {
  Tensor weight, bias;
};

/// The maps of one Luna attention, D×D each. With tied keys and values, pack_key and pack_value are the same
/// tensors, and so are key and value.
struct LunaWeights {
  AffineMap pack_query, pack_key, pack_value, query, key, value, output;
};

struct LunaOutput {
  Tensor y_BND;       ///< unpack's output after W_o
  Tensor packed_BLD;  ///< Y_P: pack's heads side by side, no output projection
};

/// True where the native computation applies to these inputs: CPU, fp32.
bool has_native_luna(const Tensor& query_BND);

/// query [B,N,D], context [B,M,D] (the same tensor in self-attention), state P [B,L,D]. context_bias [B,M]
/// and slot_bias [B,L] are fp32 with −inf at padding and masked slots, or undefined.
///
/// While L·D + (H − 1)·L·N ≤ N·D, for sequences that are long beside L, the projections are absorbed: pack's
/// scores are (Q_h·W_pk,h)·Xᵀ, its output (A·X)·W_pv, unpack's scores X·(W_q,hᵀ·K_h) and its output
/// U·(V_h·W_o,h), so that no N×D query, key or value exists and less is computed. For larger L it projects,
/// and keeps the weights of both attentions.
LunaOutput luna_attention(const Tensor& query_BND, const Tensor& context_BMD, const Tensor& state_BLD,
                          const LunaWeights& weights, int64_t heads, const Tensor& context_bias_BM,
                          const Tensor& slot_bias_BL, Drop pack_drop, Drop unpack_drop);

/// Whether `luna_attention` absorbs at these sizes: where that is less to compute.
inline bool luna_absorbs(int64_t dim, int64_t heads, int64_t length, int64_t queries, int64_t context) {
  const double d = dim, h = heads, l = length, tokens = 0.5 * static_cast<double>(queries + context);
  return l * d + (h - 1) * l * tokens <= d * tokens;
}

}  // namespace attnlab
