// Causal Luna between its projections (Ma et al. 2021, §3.2): f(X, Y, Z)_t = (1/t)·x_t·Σ_{j≤t} y_jᵀ z_j, used
// twice.
//
//   logits_t = f(Q, K, A)_t ∈ R^l     U_t = drop(softmax(logits_t))     Y_t = f(U, A, V)_t
//
// Both sums are of outer products with the same A, so one scan serves both: S_t = Σ_{j≤t} a_jᵀ[k_j | v_j],
// l×2d.
//
// Shapes: B batch, H heads, N tokens, d width of a head, L rows of P (l in the paper).
#pragma once

#include <string>

#include "kernels/ops.h"

namespace attnlab {

/// How it is computed; the same to rounding.
enum class CausalLunaForm {
  scan,            ///< native, in fp32: see has_causal_luna_scan; elsewhere, and of fp64, it is `chunks`;
                   ///< first derivatives alone: a second one is refused
  chunks,          ///< products of Torch's over chunks of 64 tokens
  outer_products,  ///< the released code's: B·H·N·l·d numbers, summed along N
};

/// What has computed causal Luna in this process, "device, chunks": `native` and `device` are this project's
/// own kernels of the CPU and of CUDA, the others Torch's operators. What a record says of it.
std::string causal_luna_forms_run();

/// q, k, v: [B, H, N, d], q divided by √d already; a: [B, H, N, L], ω of the scores, dropped, and 0 at padded
/// tokens. counts: whole numbers [B, N], t of every token, or undefined where it is 1, 2, …, N in every
/// sentence. masked: bool [B, L], true where a sentence must not read a row of P, or undefined; one that must
/// read none gives zeros. Returns Y [B, H, N, d] in q's type.
/// All numbers must be finite, k and v of padded tokens as well: products meet them with zeros, so that a NaN
/// or an infinity reaches tokens of its chunk that stand before it and, of a padded token, all behind it.
/// Extra memory is O(N·(d + L)) but for outer products; sums in the type of the inputs, fp32 at least, under
/// autocast and where TF32 is allowed as well. Throws c10::Error with one sentence where shapes do not fit,
/// q, k, v or a are whole numbers, or fp64 beside other types, tensors are not dense or on different devices,
/// counts are negative (looked at on the CPU alone), or the dropout's probability is not in [0, 1).
Tensor causal_luna(const Tensor& q_BHNd, const Tensor& k_BHNd, const Tensor& v_BHNd, const Tensor& a_BHNL,
                   const Tensor& counts_BN, const Tensor& masked_BL, Drop drop,
                   CausalLunaForm form = CausalLunaForm::scan);

/// Whether `scan` is native code for operands like these, and not the products over chunks: on the CPU it is
/// for all types but fp64 (narrow ones are computed in fp32), on CUDA where libattnlab_ops_cuda.so is open,
/// the type is not fp64, and L rows of P beside a head of width d fit the shared memory of the device. Its
/// code is fp32 alone: tests hold the CPU's to 1e-5 of the formula in fp64, token by token, and the algorithm
/// of CUDA's in fp64, on emulated blocks, to 1e-10 of `chunks`, which in fp64 are as near that formula.
bool has_causal_luna_scan(const Tensor& q_BHNd, const Tensor& a_BHNL);

/// The sums that decoding carries from token to token, for texts side by side.
struct CausalLunaSums {
  Tensor sums_RHL2d;  ///< Σ a_jᵀ k_j beside Σ a_jᵀ v_j
  Tensor counts_R;    ///< int64, t of every text
  Tensor rows_R;      ///< int64: text i goes on from rows[i] of both; undefined where from its own

  /// Of so many texts that have read nothing; `like` gives type and device.
  static CausalLunaSums of_nothing(int64_t texts, int64_t heads, int64_t length, int64_t d,
                                   const Tensor& like);
};

/// One more token of every text: q, k, v [R, H, d], a [R, H, L]; masked: bool [R, L] or undefined. Adds it to
/// the sums, which become those of the texts that rows named, and returns Y [R, H, d].
Tensor causal_luna_step(CausalLunaSums& sums, const Tensor& q_RHd, const Tensor& k_RHd, const Tensor& v_RHd,
                        const Tensor& a_RHL, const Tensor& masked_RL);

/// Several more tokens of every text, all at once: q, k, v [R, H, N, d], a [R, H, N, L], 0 at padded tokens;
/// padding: bool [R, N], true where a text has no token, or undefined. Returns Y [R, H, N, d], unspecified
/// but finite at padded tokens. Without gradients.
Tensor causal_luna_append(CausalLunaSums& sums, const Tensor& q_RHNd, const Tensor& k_RHNd,
                          const Tensor& v_RHNd, const Tensor& a_RHNL, const Tensor& padding_RN,
                          const Tensor& masked_RL);

}  // namespace attnlab
