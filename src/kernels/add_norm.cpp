#include "kernels/native.h"

namespace attnlab {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Below this a weight is too small to divide by, and the sum is kept instead of being recovered from the
/// output.
constexpr float kSmallestWeight = 1e-2f;

struct AddNormFunction : torch::autograd::Function<AddNormFunction> {
  static Tensor forward(AutogradContext* ctx, const std::optional<Tensor>& residual, const Tensor& x_in,
                        double p, int64_t seed, const Tensor& weight, const Tensor& bias, double eps) {
    const Tensor x = x_in.contiguous();
    const Tensor r = residual ? residual->contiguous() : Tensor();
    const int64_t d = x.size(-1), rows = x.numel() / d;
    const bool invertible = weight.abs().min().item<float>() > kSmallestWeight;
    Tensor y = at::empty_like(x), rstd = at::empty({rows}, x.options());
    Tensor sum = invertible ? Tensor() : at::empty_like(x);
    const MaskSpec spec = mask_spec(p, seed);
    const float *xp = x.const_data_ptr<float>(), *rp = r.defined() ? r.const_data_ptr<float>() : nullptr;
    const float *w = weight.const_data_ptr<float>(), *b = bias.const_data_ptr<float>();
    float *yp = y.mutable_data_ptr<float>(), *sp = invertible ? nullptr : sum.mutable_data_ptr<float>();
    float* rstdp = rstd.mutable_data_ptr<float>();
    for_rows(rows, d, [&](int64_t first, int64_t count, int) {
      for (int64_t i = first; i < first + count; ++i)
        rstdp[i] = simd().add_norm(spec, i * d, d, rp ? rp + i * d : nullptr, xp + i * d, w, b,
                                   static_cast<float>(eps), yp + i * d, sp ? sp + i * d : nullptr);
    });
    ctx->saved_data["p"] = p;
    ctx->saved_data["seed"] = seed;
    ctx->saved_data["residual"] = residual.has_value();
    ctx->save_for_backward({y, sum, rstd, weight, bias});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &y = saved[0], &sum = saved[1], &rstd = saved[2], &weight = saved[3], &bias = saved[4];
    const Tensor dy = grads[0].contiguous();
    const int64_t d = y.size(-1), rows = y.numel() / d;
    Tensor ds = at::empty_like(y);
    PerThread dw({d}, y.options()), db({d}, y.options());
    const float *w = weight.const_data_ptr<float>(), *b = bias.const_data_ptr<float>();
    const float *yp = y.const_data_ptr<float>(), *sp = sum.defined() ? sum.const_data_ptr<float>() : nullptr;
    const float *dyp = dy.const_data_ptr<float>(), *rstdp = rstd.const_data_ptr<float>();
    float* dsp = ds.mutable_data_ptr<float>();
    for_rows(rows, d, [&](int64_t first, int64_t count, int thread) {
      std::vector<float> normalised(static_cast<size_t>(d));
      float* xh = normalised.data();
      float *dwp = dw[thread].mutable_data_ptr<float>(), *dbp = db[thread].mutable_data_ptr<float>();
      for (int64_t i = first; i < first + count; ++i) {
        if (sp) {
          const float mean = simd().sum(d, sp + i * d) / static_cast<float>(d);
          for (int64_t j = 0; j < d; ++j) xh[j] = (sp[i * d + j] - mean) * rstdp[i];
        } else {
          simd().unnorm(d, yp + i * d, w, b, xh);
        }
        simd().norm_backward(d, rstdp[i], xh, dyp + i * d, w, dsp + i * d, dwp, dbp);
      }
    });
    const Drop drop{ctx->saved_data["p"].toDouble(), ctx->saved_data["seed"].toInt()};
    return {ctx->saved_data["residual"].toBool() ? ds : Tensor(),
            dropout(ds, drop),
            {},
            {},
            dw.sum(),
            db.sum(),
            {}};
  }
};

}  // namespace

Tensor add_norm(const Tensor& residual, const Tensor& x, Drop drop, const Tensor& weight, const Tensor& bias,
                double eps) {
  if (is_native(x))
    return AddNormFunction::apply(if_defined(residual), x, drop.probability, drop.seed, weight, bias, eps);
  const Tensor dropped = dropout(x, drop);
  return at::layer_norm(residual.defined() ? residual + dropped : dropped, {x.size(-1)}, weight, bias, eps);
}

}  // namespace attnlab
