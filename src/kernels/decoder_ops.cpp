#include "kernels/decoder_ops.h"

#include "kernels/native.h"

namespace attnlab {
namespace {

bool is_native_without_gradient(const Tensor& a, const Tensor& b) {
  return is_native(a) && is_native(b) && !wants_gradient(a) && !wants_gradient(b);
}

}  // namespace

Tensor rms_norm(const Tensor& x, const Tensor& weights, double eps) {
  const Tensor w = is_native(x) && is_narrow(weights) ? weights.to(torch::kFloat) : weights;
  // One kernel in place of eight; it rounds once where the composed form, as transformers has it, rounds
  // twice.
  if (x.is_cuda() && x.scalar_type() == w.scalar_type() && !wants_gradient(x) && !wants_gradient(w))
    return at::rms_norm(x, w.sizes(), w, eps);
  if (!is_native_without_gradient(x, w)) {
    const Tensor wide = x.to(x.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat);
    const Tensor scale = at::rsqrt(wide.square().mean(-1, /*keepdim=*/true) + eps);
    return (wide * scale).to(x.scalar_type()) * w;
  }
  const Tensor in = x.contiguous(), weight = w.contiguous();
  Tensor y = at::empty_like(in);
  const int64_t d = in.size(-1);
  for_rows(in.numel() / d, d, [&](int64_t first, int64_t rows, int) {
    for (int64_t row = first; row < first + rows; ++row)
      simd().rms_norm(d, static_cast<float>(eps), in.const_data_ptr<float>() + row * d,
                      weight.const_data_ptr<float>(), y.mutable_data_ptr<float>() + row * d);
  });
  return y;
}

Tensor gated_silu(const Tensor& gate, const Tensor& x) {
  if (!is_native_without_gradient(gate, x)) return at::silu(gate) * x;
  const Tensor g = gate.contiguous(), in = x.contiguous();
  Tensor y = at::empty_like(in);
  for_rows(in.numel(), 1, [&](int64_t first, int64_t count, int) {
    simd().gated_silu(count, g.const_data_ptr<float>() + first, in.const_data_ptr<float>() + first,
                      y.mutable_data_ptr<float>() + first);
  });
  return y;
}

Tensor token_losses(const Tensor& logits_NV, const Tensor& targets_N) {
  const torch::NoGradGuard no_grad;
  const bool is_double = logits_NV.scalar_type() == torch::kDouble;
  const Tensor logits = logits_NV.to(is_double ? torch::kDouble : torch::kFloat).contiguous();
  const Tensor chosen_N = logits.gather(-1, targets_N.unsqueeze(-1)).squeeze(-1).to(torch::kDouble);
  if (!is_fp32_on_cpu(logits)) return logits.logsumexp(-1).to(torch::kDouble) - chosen_N;
  const int64_t rows = logits.size(0), vocabulary = logits.size(1);
  Tensor sums_N = at::empty({rows}, logits.options().dtype(torch::kDouble));
  for_rows(rows, vocabulary, [&](int64_t first, int64_t count, int) {
    for (int64_t row = first; row < first + count; ++row) {
      const auto [top, sum] = simd().exp_sum(vocabulary, logits.const_data_ptr<float>() + row * vocabulary);
      sums_N.mutable_data_ptr<double>()[row] = static_cast<double>(top) + std::log(sum);
    }
  });
  return sums_N - chosen_N;
}

}  // namespace attnlab
