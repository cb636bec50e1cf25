#include "kernels/causal_luna.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/native.h"

namespace attnlab {
namespace {

/// Tokens of a chunk: products inside one cost N·chunk, states between them N/chunk.
constexpr int64_t chunk_tokens = 64;

/// [B, H, N, w] to [B, H, N / c, c, w], with zeros behind the last token.
Tensor chunked(const Tensor& x_BHNw, int64_t c) {
  const int64_t n = x_BHNw.size(2), missing = (c - n % c) % c;
  const Tensor whole = missing == 0 ? x_BHNw : at::constant_pad_nd(x_BHNw, {0, 0, 0, missing});
  return whole.unflatten(2, {(n + missing) / c, c});
}

Tensor unchunked(const Tensor& x, int64_t n) { return x.flatten(2, 3).narrow(2, 0, n); }

/// Sums of a_jᵀ·z_j over the chunks before each one.
Tensor sums_before(const Tensor& a_BHCcL, const Tensor& z_BHCcd) {
  const Tensor each_BHCLd = a_BHCcL.transpose(-2, -1).matmul(z_BHCcd);
  // Not the inclusive sum less the chunk's own: what follows would leave its rounding in what stands before.
  return at::constant_pad_nd(each_BHCLd.narrow(2, 0, each_BHCLd.size(2) - 1).cumsum(2), {0, 0, 0, 0, 1, 0});
}

Tensor softmax_over_rows(Tensor logits_BHNL, const Tensor& masked_BL) {
  if (masked_BL.defined())
    logits_BHNL =
        logits_BHNL.masked_fill(masked_BL.unsqueeze(1).unsqueeze(1), std::numeric_limits<float>::lowest());
  return logits_BHNL.softmax(-1);
}

}  // namespace

Tensor causal_luna(const Tensor& q_BHNd, const Tensor& k_BHNd, const Tensor& v_BHNd, const Tensor& a_BHNL,
                   const Tensor& counts_BN, const Tensor& masked_BL, Drop drop) {
  const int64_t n = q_BHNd.size(2), c = std::min(chunk_tokens, n);
  const auto type = q_BHNd.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat;
  const Tensor counts =
      counts_BN.defined()
          ? counts_BN.to(type).clamp_min(1).unsqueeze(1).unsqueeze(-1)
          : torch::arange(1, n + 1, q_BHNd.options().dtype(type).requires_grad(false)).unsqueeze(-1);
  const Tensor q = chunked(q_BHNd.to(type), c), k = chunked(k_BHNd.to(type), c),
               v = chunked(v_BHNd.to(type), c);
  const Tensor a = chunked(a_BHNL.to(type), c);
  Tensor logits = q.matmul(k.transpose(-2, -1)).tril().matmul(a);
  const bool one_chunk = n <= c;
  if (!one_chunk) logits = logits + q.matmul(sums_before(a, k).transpose(-2, -1));
  const Tensor u_BHNL = dropout(softmax_over_rows(unchunked(logits, n) / counts, masked_BL), drop);
  const Tensor u = chunked(u_BHNL, c);
  Tensor y = u.matmul(a.transpose(-2, -1)).tril().matmul(v);
  if (!one_chunk) y = y + u.matmul(sums_before(a, v));
  return (unchunked(y, n) / counts).to(q_BHNd.scalar_type());
}

namespace {

Tensor composed_step(CausalLunaSums& sums, const Tensor& q_RHd, const Tensor& k_RHd, const Tensor& v_RHd,
                     const Tensor& a_RHL, const Tensor& masked_RL) {
  const Tensor t = sums.counts_R.to(q_RHd.scalar_type()).view({-1, 1, 1, 1});
  const Tensor from = sums.rows_R.defined() ? sums.sums_RHL2d.index_select(0, sums.rows_R) : sums.sums_RHL2d;
  const Tensor kv_RH2d = torch::stack({k_RHd, v_RHd}, 2);
  sums.sums_RHL2d = from + a_RHL.unsqueeze(-1).unsqueeze(-1) * kv_RH2d.unsqueeze(2);
  const Tensor keys_RHLd = sums.sums_RHL2d.select(3, 0), values_RHLd = sums.sums_RHL2d.select(3, 1);
  const Tensor logits_RH1L = q_RHd.unsqueeze(2).matmul(keys_RHLd.transpose(-2, -1)) / t;
  return (softmax_over_rows(logits_RH1L, masked_RL).matmul(values_RHLd) / t).squeeze(2);
}

Tensor native_step(CausalLunaSums& sums, const Tensor& q_RHd, const Tensor& k_RHd, const Tensor& v_RHd,
                   const Tensor& a_RHL, const Tensor& masked_RL) {
  const int64_t rows = q_RHd.size(0), heads = q_RHd.size(1), d = q_RHd.size(2), l = a_RHL.size(2);
  Tensor to = at::empty({rows, heads, l, 2, d}, q_RHd.options()), y = at::empty_like(q_RHd);
  const Tensor bias_RL = masked_RL.defined()
                             ? at::zeros({rows, l}, q_RHd.options())
                                   .masked_fill_(masked_RL, -std::numeric_limits<float>::infinity())
                             : Tensor();
  const auto* counts = sums.counts_R.const_data_ptr<int64_t>();
  const auto* from_rows = sums.rows_R.defined() ? sums.rows_R.const_data_ptr<int64_t>() : nullptr;
  const float *q = q_RHd.const_data_ptr<float>(), *k = k_RHd.const_data_ptr<float>(),
              *v = v_RHd.const_data_ptr<float>(), *a = a_RHL.const_data_ptr<float>(),
              *from = sums.sums_RHL2d.const_data_ptr<float>();
  const float* bias = bias_RL.defined() ? bias_RL.const_data_ptr<float>() : nullptr;
  float *top = to.mutable_data_ptr<float>(), *yp = y.mutable_data_ptr<float>();
  const int64_t size = l * 2 * d;
  at::parallel_for(0, rows * heads, 8, [&](int64_t begin, int64_t end) {
    std::vector<float> weights(static_cast<size_t>(l));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i / heads, head = i % heads;
      const int64_t origin = from_rows ? from_rows[row] : row;
      simd().luna_step({l, d, static_cast<float>(counts[row]), a + i * l, q + i * d, k + i * d, v + i * d,
                        bias ? bias + row * l : nullptr, from + (origin * heads + head) * size,
                        top + i * size, weights.data(), yp + i * d});
    }
  });
  sums.sums_RHL2d = to;
  return y;
}

}  // namespace

Tensor causal_luna_step(CausalLunaSums& sums, const Tensor& q_RHd, const Tensor& k_RHd, const Tensor& v_RHd,
                        const Tensor& a_RHL, const Tensor& masked_RL) {
  sums.counts_R = (sums.rows_R.defined() ? sums.counts_R.index_select(0, sums.rows_R) : sums.counts_R) + 1;
  const bool native = is_native(q_RHd) && !at::GradMode::is_enabled();
  const Tensor y_RHd = native ? native_step(sums, q_RHd.contiguous(), k_RHd.contiguous(), v_RHd.contiguous(),
                                            a_RHL.contiguous(), masked_RL)
                              : composed_step(sums, q_RHd, k_RHd, v_RHd, a_RHL, masked_RL);
  sums.rows_R = Tensor();
  return y_RHd;
}

CausalLunaSums CausalLunaSums::of_nothing(int64_t texts, int64_t heads, int64_t length, int64_t d,
                                          const Tensor& like) {
  const auto options = like.options().requires_grad(false);
  return {
      at::zeros({texts, heads, length, 2, d}, options), at::zeros({texts}, options.dtype(torch::kLong)), {}};
}

Tensor causal_luna_append(CausalLunaSums& sums, const Tensor& q_RHNd, const Tensor& k_RHNd,
                          const Tensor& v_RHNd, const Tensor& a_RHNL, const Tensor& padding_RN,
                          const Tensor& masked_RL) {
  const torch::NoGradGuard no_grad;
  const int64_t n = q_RHNd.size(2);
  if (sums.rows_R.defined()) {
    sums.sums_RHL2d = sums.sums_RHL2d.index_select(0, sums.rows_R);
    sums.counts_R = sums.counts_R.index_select(0, sums.rows_R);
    sums.rows_R = Tensor();
  }
  const Tensor before_R1 = sums.counts_R.unsqueeze(1);
  const Tensor counts_RN =
      before_R1 + (padding_RN.defined() ? padding_RN.logical_not().cumsum(1)
                                        : torch::arange(1, n + 1, before_R1.options()).unsqueeze(0));
  const Tensor t = counts_RN.clamp_min(1).to(q_RHNd.scalar_type()).unsqueeze(1).unsqueeze(-1);
  const Tensor at = a_RHNL.transpose(-2, -1);
  const Tensor keys_RHLd = sums.sums_RHL2d.select(3, 0), values_RHLd = sums.sums_RHL2d.select(3, 1);
  Tensor logits = q_RHNd.matmul(keys_RHLd.transpose(-2, -1)) +
                  q_RHNd.matmul(k_RHNd.transpose(-2, -1)).tril().matmul(a_RHNL);
  const Tensor u = softmax_over_rows(logits / t, masked_RL);
  const Tensor y = (u.matmul(values_RHLd) + u.matmul(at).tril().matmul(v_RHNd)) / t;
  sums.sums_RHL2d = sums.sums_RHL2d + torch::stack({at.matmul(k_RHNd), at.matmul(v_RHNd)}, 3);
  sums.counts_R = counts_RN.select(1, n - 1).contiguous();
  return y;
}

}  // namespace attnlab
