#include "kernels/few_rows.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct UnpackFunction : torch::autograd::Function<UnpackFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x_in, const Tensor& c, const Tensor& c0,
                        const Tensor& e, const Tensor& bias, int64_t groups, double p, int64_t seed) {
    const Tensor x = x_in.contiguous();
    const int64_t batch = x.size(0), n = x.size(1), r = c.size(1), l = r / groups;
    const MaskSpec spec = mask_spec(p, seed);
    Tensor u = at::empty({batch, n, r}, x.options()), y = at::empty({batch, n, e.size(2)}, x.options());
    for_batch(batch, [&](int64_t b) {
      const Tensor c_DR = c[b].t(), e_RD = e[b], x_ND = x[b];
      const float* c0p = c0[b].const_data_ptr<float>();
      for_slices(n, [&](int64_t first, int64_t count, int) {
        Tensor us = u[b].narrow(0, first, count);
        multiply(us, x_ND.narrow(0, first, count), c_DR);
        float* up = us.mutable_data_ptr<float>();
        for (int64_t i = 0; i < count; ++i)
          for (int64_t h = 0; h < groups; ++h) simd().softmax(l, 1.0f, c0p + h * l, up + i * r + h * l);
        Tensor kept = us;
        if (spec.threshold) {
          kept = at::empty_like(us);
          simd().apply_mask(spec, (b * n + first) * r, count * r, up, kept.mutable_data_ptr<float>());
        }
        Tensor ys = y[b].narrow(0, first, count);
        at::addmm_out(ys, bias, kept, e_RD);
      });
    });
    ctx->saved_data["groups"] = groups;
    ctx->saved_data["p"] = p;
    ctx->saved_data["seed"] = seed;
    ctx->save_for_backward({x_in, c, e, u});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &c = saved[1], &e = saved[2], &u = saved[3];
    const Tensor x = saved[0].contiguous(), dy = grads[0].contiguous();
    const int64_t batch = x.size(0), n = x.size(1), d = x.size(2), r = c.size(1);
    const int64_t groups = ctx->saved_data["groups"].toInt(), l = r / groups;
    const MaskSpec spec = mask_spec(ctx->saved_data["p"].toDouble(), ctx->saved_data["seed"].toInt());
    Tensor dx = at::empty_like(x), dc = at::empty_like(c), de = at::empty_like(e);
    Tensor dc0 = at::empty({batch, r}, x.options());
    for_batch(batch, [&](int64_t b) {
      const Tensor x_ND = x[b], e_DR = e[b].t(), c_RD = c[b];
      PerThread dcs({r, d}, x.options()), des({r, e.size(2)}, x.options()), dc0s({r}, x.options());
      for_slices(n, [&](int64_t first, int64_t count, int thread) {
        const Tensor us = u[b].narrow(0, first, count), dys = dy[b].narrow(0, first, count);
        const float* up = us.const_data_ptr<float>();
        Tensor ds = at::empty({count, r}, x.options()), kept = us;
        multiply(ds, dys, e_DR);
        float* dsp = ds.mutable_data_ptr<float>();
        if (spec.threshold) {
          const int64_t base = (b * n + first) * r;
          kept = at::empty_like(us);
          simd().apply_mask(spec, base, count * r, up, kept.mutable_data_ptr<float>());
          simd().apply_mask(spec, base, count * r, dsp, dsp);
        }
        float* dc0p = dc0s[thread].mutable_data_ptr<float>();
        for (int64_t i = 0; i < count; ++i) {
          for (int64_t h = 0; h < groups; ++h)
            simd().softmax_backward({}, 0, l, 1.0f, up + i * r + h * l, dsp + i * r + h * l);
          simd().accumulate(r, dsp + i * r, dc0p);
        }
        multiply(dx[b].narrow(0, first, count), ds, c_RD);
        multiply(dcs[thread], ds.t(), x_ND.narrow(0, first, count), /*accumulate=*/true);
        multiply(des[thread], kept.t(), dys, /*accumulate=*/true);
      });
      dc[b].copy_(dcs.sum());
      de[b].copy_(des.sum());
      dc0[b].copy_(dc0s.sum());
    });
    return {dx, dc, dc0, de, dy.sum(at::IntArrayRef{0, 1}), {}, {}, {}};
  }
};

}  // namespace

Tensor unpack_rows(const Tensor& x_BND, const Tensor& c_BRD, const Tensor& c_BR, const Tensor& e_BRD,
                   const Tensor& b_D, int64_t groups, Drop drop) {
  return UnpackFunction::apply(x_BND, c_BRD.contiguous(), c_BR.contiguous(), e_BRD.contiguous(), b_D, groups,
                               drop.probability, drop.seed);
}

}  // namespace attnlab
