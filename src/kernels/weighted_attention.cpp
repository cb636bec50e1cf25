#include "kernels/attention_weights.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Query rows that one step takes, so that its weights stay in the second-level cache.
int64_t step_rows(int64_t m) { return std::clamp<int64_t>((int64_t{1} << 19) / m, 16, slice_rows); }

/// The columns of head h: a strided view, rows × d.
Tensor head(const Tensor& x_BND, int64_t b, int64_t h, int64_t d) { return x_BND[b].narrow(1, h * d, d); }

struct WeightedFunction : torch::autograd::Function<WeightedFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& q, const Tensor& k, const Tensor& v,
                        int64_t heads, const std::optional<Tensor>& bias, double p, int64_t seed,
                        bool causal) {
    const int64_t batch = q.size(0), n = q.size(1), m = k.size(1), d = q.size(2) / heads;
    const float scale = 1.0f / std::sqrt(static_cast<float>(d));
    const MaskSpec spec = mask_spec(p, seed);
    Tensor a = at::empty({batch, heads, n, m}, q.options()), y = at::empty_like(q);
    for_batch(batch * heads, [&](int64_t bh) {
      const int64_t b = bh / heads, h = bh % heads, step = step_rows(m);
      const Tensor qh = head(q, b, h, d), kh = head(k, b, h, d), vh = head(v, b, h, d);
      const float* bias_M = bias ? (*bias)[b].const_data_ptr<float>() : nullptr;
      for (int64_t first = 0; first < n; first += step) {
        const int64_t count = std::min(step, n - first);
        Tensor as = a[b][h].narrow(0, first, count);
        multiply(as, qh.narrow(0, first, count), kh.t());
        float* ap = as.mutable_data_ptr<float>();
        for_rows(count, m, [&](int64_t row, int64_t rows, int) {
          for (int64_t i = row; i < row + rows; ++i) {
            const int64_t read = causal ? first + i + 1 : m;
            simd().softmax(read, scale, bias_M, ap + i * m);
            std::fill(ap + i * m + read, ap + (i + 1) * m, 0.0f);
          }
        });
        Tensor kept = as;
        if (spec.threshold) {
          kept = at::empty_like(as);
          simd().apply_mask(spec, (bh * n + first) * m, count * m, ap, kept.mutable_data_ptr<float>());
        }
        multiply(head(y, b, h, d).narrow(0, first, count), kept, vh);
      }
    });
    ctx->saved_data["heads"] = heads;
    ctx->saved_data["p"] = p;
    ctx->saved_data["seed"] = seed;
    ctx->save_for_backward({q, k, v, a, y});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &q = saved[0], &k = saved[1], &v = saved[2], &a = saved[3], &y = saved[4];
    const Tensor dy = grads[0].contiguous();
    const int64_t heads = ctx->saved_data["heads"].toInt();
    const int64_t batch = q.size(0), n = q.size(1), m = k.size(1), d = q.size(2) / heads;
    const double scale = 1.0 / std::sqrt(static_cast<double>(d));
    const MaskSpec spec = mask_spec(ctx->saved_data["p"].toDouble(), ctx->saved_data["seed"].toInt());
    Tensor dq = at::empty_like(q), dk = at::empty_like(k), dv = at::empty_like(v);
    for_batch(batch * heads, [&](int64_t bh) {
      const int64_t b = bh / heads, h = bh % heads, step = step_rows(m);
      const Tensor qh = head(q, b, h, d), kh = head(k, b, h, d), vh = head(v, b, h, d);
      const Tensor dot = (head(dy, b, h, d) * head(y, b, h, d)).sum(-1);  // Σ_j A_ij·∂A_ij
      for (int64_t first = 0; first < n; first += step) {
        const int64_t count = std::min(step, n - first);
        const Tensor as = a[b][h].narrow(0, first, count), dys = head(dy, b, h, d).narrow(0, first, count);
        Tensor ds = at::empty_like(as), kept = as;
        multiply(ds, dys, vh.t());
        if (spec.threshold) {
          kept = at::empty_like(as);
          simd().apply_mask(spec, (bh * n + first) * m, count * m, as.const_data_ptr<float>(),
                            kept.mutable_data_ptr<float>());
        }
        const float *ap = as.const_data_ptr<float>(), *keptp = kept.const_data_ptr<float>();
        const float* dotp = dot.const_data_ptr<float>() + first;
        float* dsp = ds.mutable_data_ptr<float>();
        for_rows(count, m, [&](int64_t row, int64_t rows, int) {
          for (int64_t i = row; i < row + rows; ++i)
            simd().weight_gradient(m, 0.0f, dotp[i], ap + i * m, keptp + i * m, dsp + i * m);
        });
        multiply(head(dq, b, h, d).narrow(0, first, count), ds, kh);
        multiply(head(dk, b, h, d), ds.t(), qh.narrow(0, first, count), /*accumulate=*/first > 0);
        multiply(head(dv, b, h, d), kept.t(), dys, /*accumulate=*/first > 0);
      }
    });
    return {dq.mul_(scale), dk.mul_(scale), dv, {}, {}, {}, {}, {}};
  }
};

Tensor composed_weighted_attention(const Tensor& q_BND, const Tensor& k_BMD, const Tensor& v_BMD,
                                   int64_t heads, const Tensor& bias_BM, Drop drop, bool causal) {
  const auto split = [&](const Tensor& x) {
    return x.unflatten(-1, {heads, x.size(-1) / heads}).transpose(1, 2);
  };
  const double scale = 1.0 / std::sqrt(static_cast<double>(q_BND.size(-1) / heads));
  Tensor scores = split(q_BND).matmul(split(k_BMD * scale).transpose(-2, -1));
  if (bias_BM.defined()) scores = scores + bias_BM.unsqueeze(1).unsqueeze(1);
  if (causal) {
    const int64_t n = q_BND.size(1);
    const Tensor after_NN =
        torch::ones({n, n}, scores.options().dtype(torch::kBool).requires_grad(false)).triu_(1);
    scores = scores.masked_fill(after_NN, -std::numeric_limits<double>::infinity());
  }
  return attention_weights(scores, {}, drop).matmul(split(v_BMD)).transpose(1, 2).flatten(2);
}

}  // namespace

Tensor weighted_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads,
                          const Tensor& bias, Drop drop, bool causal) {
  if (!is_native(q)) return composed_weighted_attention(q, k, v, heads, bias, drop, causal);
  return WeightedFunction::apply(q.contiguous(), k.contiguous(), v.contiguous(), heads, if_defined(bias),
                                 drop.probability, drop.seed, causal);
}

}  // namespace attnlab
