// Attention whose weights are products of non-negative features: w_ij ∝ φ(q_i)·φ(k_j). Summed from the right
// it costs O(n) (Katharopoulos et al. 2020, arXiv 2006.16236, eq. 5).
#pragma once

#include "attention/attention.h"

namespace attnlab {

/// y_i = φ(q_i)·(Σ_j φ(k_j) v_jᵀ) / (φ(q_i)·Σ_j φ(k_j) + eps), F features a head. Padded context rows of
/// k_BHMF must be 0.
Tensor feature_attention(const Tensor& q_BHNF, const Tensor& k_BHMF, const Tensor& v_BHMd, double eps);

/// φ(k) with padded rows set to 0; padding is bool [B, M] or undefined.
Tensor without_padding(const Tensor& k_BHMF, const Tensor& padding_BM);

/// Floating-point operations of feature_attention over all heads, F features and d values a head.
double feature_attention_flops(int64_t n, int64_t m, int64_t heads, int64_t features, int64_t d);

}  // namespace attnlab
