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

/// Heads of up to so many weights are multiplied all at once: one by one, calling the products would take
/// longer than they do.
constexpr int64_t short_weights = 64 * 64;

/// [B, N, D] to [B·H, N, d], and back.
Tensor by_heads(const Tensor& x_BND, int64_t heads) {
  return x_BND.unflatten(-1, {heads, -1}).transpose(1, 2).reshape({x_BND.size(0) * heads, x_BND.size(1), -1});
}
Tensor side_by_side(const Tensor& x_XNd, int64_t heads) {
  return x_XNd.unflatten(0, {-1, heads}).transpose(1, 2).flatten(2);
}

/// The same for short sequences.
struct ShortFunction : torch::autograd::Function<ShortFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& q_BND, const Tensor& k_BMD, const Tensor& v_BMD,
                        int64_t heads, const std::optional<Tensor>& bias, double p, int64_t seed,
                        bool causal) {
    const Tensor q = by_heads(q_BND, heads), k = by_heads(k_BMD, heads), v = by_heads(v_BMD, heads);
    const int64_t n = q.size(1), m = k.size(1);
    const float scale = 1.0f / std::sqrt(static_cast<float>(q.size(2)));
    const MaskSpec spec = mask_spec(p, seed);
    Tensor a = at::bmm(q, k.transpose(1, 2));
    float* ap = a.mutable_data_ptr<float>();
    const Tensor bias_BM = bias ? bias->contiguous() : Tensor();
    const float* biasp = bias ? bias_BM.const_data_ptr<float>() : nullptr;
    for_rows(a.size(0) * n, m, [&](int64_t first, int64_t rows, int) {
      for (int64_t i = first; i < first + rows; ++i) {
        const int64_t read = causal ? i % n + 1 : m;
        simd().softmax(read, scale, biasp ? biasp + i / (n * heads) * m : nullptr, ap + i * m);
        std::fill(ap + i * m + read, ap + (i + 1) * m, 0.0f);
      }
    });
    ctx->saved_data["heads"] = heads;
    ctx->saved_data["p"] = p;
    ctx->saved_data["seed"] = seed;
    ctx->save_for_backward({q, k, v, a});
    return side_by_side(at::bmm(masked(spec, a), v), heads);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &q = saved[0], &k = saved[1], &v = saved[2], &a = saved[3];
    const int64_t heads = ctx->saved_data["heads"].toInt(), m = a.size(2), rows = a.size(0) * a.size(1);
    const float scale = 1.0f / std::sqrt(static_cast<float>(q.size(2)));
    const MaskSpec spec = mask_spec(ctx->saved_data["p"].toDouble(), ctx->saved_data["seed"].toInt());
    const Tensor dy = by_heads(grads[0], heads);
    const Tensor dv = at::bmm(masked(spec, a).transpose(1, 2), dy);
    Tensor ds = at::bmm(dy, v.transpose(1, 2));
    const float* ap = a.const_data_ptr<float>();
    float* dsp = ds.mutable_data_ptr<float>();
    for_rows(rows, m, [&](int64_t first, int64_t count, int) {
      if (spec.threshold) simd().apply_mask(spec, first * m, count * m, dsp + first * m, dsp + first * m);
      for (int64_t i = first; i < first + count; ++i)
        simd().softmax_backward({}, 0, m, scale, ap + i * m, dsp + i * m);
    });
    return {side_by_side(at::bmm(ds, k), heads),
            side_by_side(at::bmm(ds.transpose(1, 2), q), heads),
            side_by_side(dv, heads),
            {},
            {},
            {},
            {},
            {}};
  }

  static Tensor masked(const MaskSpec& spec, const Tensor& a) {
    if (!spec.threshold) return a;
    Tensor kept = at::empty_like(a);
    const float* ap = a.const_data_ptr<float>();
    float* keptp = kept.mutable_data_ptr<float>();
    for_rows(a.size(0) * a.size(1), a.size(2), [&](int64_t first, int64_t rows, int) {
      const int64_t at = first * a.size(2);
      simd().apply_mask(spec, at, rows * a.size(2), ap + at, keptp + at);
    });
    return kept;
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
  if (q.size(1) * k.size(1) <= short_weights)
    return ShortFunction::apply(q, k, v, heads, if_defined(bias), drop.probability, drop.seed, causal);
  return WeightedFunction::apply(q.contiguous(), k.contiguous(), v.contiguous(), heads, if_defined(bias),
                                 drop.probability, drop.seed, causal);
}

}  // namespace attnlab
