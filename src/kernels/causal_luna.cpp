#include "kernels/causal_luna.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <vector>

#include "kernels/attention_weights.h"
#include "kernels/causal_luna_checks.h"
#include "kernels/causal_luna_device.h"
#include "kernels/causal_luna_native.h"
#include "kernels/exact_product.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

/// What may compute it, and which of these has.
enum class Ran { native, device, chunks, outer_products };
constexpr std::array<const char*, 4> ran_names = {"native", "device", "chunks", "outer_products"};
std::array<std::atomic<bool>, ran_names.size()> has_run{};

void note(Ran form) { has_run[static_cast<std::size_t>(form)].store(true, std::memory_order_relaxed); }

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
  const Tensor each_BHCLd = exact_product(a_BHCcL.transpose(-2, -1), z_BHCcd);
  // Not the inclusive sum less the chunk's own: what follows would leave its rounding in what stands before.
  return at::constant_pad_nd(each_BHCLd.narrow(2, 0, each_BHCLd.size(2) - 1).cumsum(2), {0, 0, 0, 0, 1, 0});
}

/// Of rows that must not be read 0, of a sentence that must read none as well.
Tensor softmax_over_rows(const Tensor& logits_BHNL, const Tensor& masked_BL) {
  if (!masked_BL.defined()) return logits_BHNL.softmax(-1);
  const Tensor hidden = masked_BL.unsqueeze(1).unsqueeze(1);
  const double score = hidden_score(logits_BHNL.scalar_type());
  return logits_BHNL.masked_fill(hidden, score).softmax(-1).masked_fill(hidden, 0.0);
}

Tensor composed_causal_luna(const Tensor& q_BHNd, const Tensor& k_BHNd, const Tensor& v_BHNd,
                            const Tensor& a_BHNL, const Tensor& parts_BN, const Tensor& masked_BL,
                            Drop drop) {
  const int64_t n = q_BHNd.size(2), c = std::min(chunk_tokens, n);
  const Tensor parts = parts_BN.unsqueeze(1).unsqueeze(-1);
  const Tensor q = chunked(q_BHNd, c), k = chunked(k_BHNd, c), v = chunked(v_BHNd, c), a = chunked(a_BHNL, c);
  Tensor logits = exact_product(exact_product(q, k.transpose(-2, -1)).tril(), a);
  const bool one_chunk = n <= c;
  if (!one_chunk) logits = logits + exact_product(q, sums_before(a, k).transpose(-2, -1));
  const Tensor u_BHNL = dropout(softmax_over_rows(unchunked(logits, n) * parts, masked_BL), drop);
  const Tensor u = chunked(u_BHNL, c);
  Tensor y = exact_product(exact_product(u, a.transpose(-2, -1)).tril(), v);
  if (!one_chunk) y = y + exact_product(u, sums_before(a, v));
  return unchunked(y, n) * parts;
}

/// The released form: every token's sums stand in memory.
Tensor with_outer_products(const Tensor& q_BHNd, const Tensor& k_BHNd, const Tensor& v_BHNd,
                           const Tensor& a_BHNL, const Tensor& parts_BN, const Tensor& masked_BL, Drop drop) {
  const Tensor parts = parts_BN.unsqueeze(1).unsqueeze(-1);
  const auto read = [&](const Tensor& x, const Tensor& y, const Tensor& z) {
    const Tensor sums = exact_product(y.unsqueeze(-1), z.unsqueeze(-2)).cumsum(2);
    return exact_product(x.unsqueeze(-2), sums).squeeze(-2) * parts;
  };
  const Tensor u = dropout(softmax_over_rows(read(q_BHNd, k_BHNd, a_BHNL), masked_BL), drop);
  return read(u, a_BHNL, v_BHNd);
}

/// 1/t of [B or 1, N].
Tensor parts_of(const Tensor& counts_BN, int64_t n, torch::TensorOptions options) {
  options = options.requires_grad(false);
  if (counts_BN.defined()) return counts_BN.to(options).clamp_min(1).reciprocal();
  return torch::arange(1, n + 1, options).reciprocal_().unsqueeze(0);
}

/// 0, or −inf where a row of P must not be read.
Tensor bias_of(const Tensor& masked_BL, const torch::TensorOptions& options) {
  if (!masked_BL.defined()) return {};
  return at::zeros(masked_BL.sizes(), options.requires_grad(false))
      .masked_fill_(masked_BL, -std::numeric_limits<float>::infinity());
}

}  // namespace

bool has_causal_luna_scan(const Tensor& q_BHNd, const Tensor& a_BHNL) {
  if (q_BHNd.scalar_type() == torch::kDouble || is_without_memory(q_BHNd)) return false;
  return q_BHNd.is_cpu() || has_device_causal_luna(q_BHNd, a_BHNL);
}

std::string causal_luna_forms_run() {
  std::string names;
  for (std::size_t i = 0; i < ran_names.size(); ++i)
    if (has_run[i].load(std::memory_order_relaxed))
      names += (names.empty() ? "" : ", ") + std::string(ran_names[i]);
  return names;
}

Tensor causal_luna(const Tensor& q_BHNd, const Tensor& k_BHNd, const Tensor& v_BHNd, const Tensor& a_BHNL,
                   const Tensor& counts_BN, const Tensor& masked_BL, Drop drop, CausalLunaForm form) {
  check_causal_luna({q_BHNd, k_BHNd, v_BHNd, a_BHNL, counts_BN, masked_BL}, drop);
  const auto type = q_BHNd.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat;
  const auto as = [type](const Tensor& x) { return x.resolve_neg().to(type); };
  const Tensor q = as(q_BHNd), k = as(k_BHNd), v = as(v_BHNd), a = as(a_BHNL);
  const Tensor parts = parts_of(counts_BN, q.size(2), q.options());
  if (form == CausalLunaForm::scan && has_causal_luna_scan(q, a)) {
    note(q.is_cpu() ? Ran::native : Ran::device);
    const auto scan = q.is_cpu() ? native_causal_luna : device_causal_luna;
    return scan(q, k, v, a, parts, bias_of(masked_BL, q.options()), drop).to(q_BHNd.scalar_type());
  }
  note(form == CausalLunaForm::outer_products ? Ran::outer_products : Ran::chunks);
  const auto composed = form == CausalLunaForm::outer_products ? with_outer_products : composed_causal_luna;
  return composed(q, k, v, a, parts, masked_BL, drop).to(q_BHNd.scalar_type());
}

namespace {

Tensor composed_step(CausalLunaSums& sums, const Tensor& q_RHd, const Tensor& k_RHd, const Tensor& v_RHd,
                     const Tensor& a_RHL, const Tensor& masked_RL) {
  const Tensor t = sums.counts_R.to(q_RHd.scalar_type()).view({-1, 1, 1, 1});
  const Tensor from = sums.rows_R.defined() ? sums.sums_RHL2d.index_select(0, sums.rows_R) : sums.sums_RHL2d;
  const Tensor kv_RH2d = torch::stack({k_RHd, v_RHd}, 2);
  sums.sums_RHL2d = from + a_RHL.unsqueeze(-1).unsqueeze(-1) * kv_RH2d.unsqueeze(2);
  const Tensor keys_RHLd = sums.sums_RHL2d.select(3, 0), values_RHLd = sums.sums_RHL2d.select(3, 1);
  const Tensor logits_RH1L = exact_product(q_RHd.unsqueeze(2), keys_RHLd.transpose(-2, -1)) / t;
  return (exact_product(softmax_over_rows(logits_RH1L, masked_RL), values_RHLd) / t).squeeze(2);
}

}  // namespace

Tensor causal_luna_step(CausalLunaSums& sums, const Tensor& q_RHd, const Tensor& k_RHd, const Tensor& v_RHd,
                        const Tensor& a_RHL, const Tensor& masked_RL) {
  sums.counts_R = (sums.rows_R.defined() ? sums.counts_R.index_select(0, sums.rows_R) : sums.counts_R) + 1;
  const bool own = is_native(q_RHd) && !at::GradMode::is_enabled();
  note(own ? Ran::native : Ran::chunks);
  const Tensor y_RHd =
      own ? native_causal_luna_step(sums, q_RHd.contiguous(), k_RHd.contiguous(), v_RHd.contiguous(),
                                    a_RHL.contiguous(), bias_of(masked_RL, q_RHd.options()))
          : composed_step(sums, q_RHd, k_RHd, v_RHd, a_RHL, masked_RL);
  sums.rows_R = Tensor();
  return y_RHd;
}

namespace {

/// One chunk of tokens, [R, H, n, …] all of them.
Tensor composed_chunk(CausalLunaSums& sums, const Tensor& q, const Tensor& k, const Tensor& v,
                      const Tensor& a, const Tensor& parts, const Tensor& masked_RL) {
  const Tensor keys_RHLd = sums.sums_RHL2d.select(3, 0), values_RHLd = sums.sums_RHL2d.select(3, 1);
  const Tensor across = a.transpose(-2, -1);
  const Tensor logits = exact_product(q, keys_RHLd.transpose(-2, -1)) +
                        exact_product(exact_product(q, k.transpose(-2, -1)).tril(), a);
  const Tensor u = softmax_over_rows(logits * parts, masked_RL);
  const Tensor y =
      (exact_product(u, values_RHLd) + exact_product(exact_product(u, across).tril(), v)) * parts;
  sums.sums_RHL2d = sums.sums_RHL2d + torch::stack({exact_product(across, k), exact_product(across, v)}, 3);
  return y;
}

Tensor composed_append(CausalLunaSums& sums, const Tensor& q_RHNd, const Tensor& k_RHNd, const Tensor& v_RHNd,
                       const Tensor& a_RHNL, const Tensor& parts_RN, const Tensor& masked_RL) {
  const Tensor parts = parts_RN.unsqueeze(1).unsqueeze(-1);
  std::vector<Tensor> y;
  for (int64_t first = 0; first < q_RHNd.size(2); first += chunk_tokens) {
    const int64_t n = std::min(chunk_tokens, q_RHNd.size(2) - first);
    const auto chunk = [&](const Tensor& x) { return x.narrow(2, first, n); };
    y.push_back(composed_chunk(sums, chunk(q_RHNd), chunk(k_RHNd), chunk(v_RHNd), chunk(a_RHNL), chunk(parts),
                               masked_RL));
  }
  return at::cat(y, 2);
}

}  // namespace

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
  const Tensor parts_RN = parts_of(counts_RN, n, q_RHNd.options());
  Tensor y;
  note(is_native(q_RHNd) ? Ran::native : Ran::chunks);
  if (is_native(q_RHNd))
    y = native_causal_luna_append(sums.sums_RHL2d, q_RHNd, k_RHNd, v_RHNd, a_RHNL,
                                  parts_RN.expand({q_RHNd.size(0), n}), bias_of(masked_RL, q_RHNd.options()));
  else
    y = composed_append(sums, q_RHNd, k_RHNd, v_RHNd, a_RHNL, parts_RN, masked_RL);
  sums.counts_R = counts_RN.select(1, n - 1).contiguous();
  return y;
}

}  // namespace attnlab
