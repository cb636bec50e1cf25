#include "kernels/few_rows.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// out[r, j] = a[r, first + j]·mask for rows r of a B×R×N tensor's b-th matrix.
void mask_columns(const MaskSpec& spec, const Tensor& a_RN, int64_t base, int64_t first, Tensor& out_RC) {
  const int64_t r = a_RN.size(0), n = a_RN.size(1), c = out_RC.size(1);
  const float* from = a_RN.const_data_ptr<float>();
  float* to = out_RC.mutable_data_ptr<float>();
  for (int64_t i = 0; i < r; ++i)
    simd().apply_mask(spec, base + i * n + first, c, from + i * n + first, to + i * c);
}

struct PackFunction : torch::autograd::Function<PackFunction> {
  static variable_list forward(AutogradContext* ctx, const Tensor& g, const Tensor& x_in,
                               const std::optional<Tensor>& bias, double p, int64_t seed) {
    const Tensor x = x_in.contiguous();
    const int64_t batch = x.size(0), n = x.size(1), d = x.size(2), r = g.size(1);
    const MaskSpec spec = mask_spec(p, seed);
    Tensor a = at::empty({batch, r, n}, x.options());
    Tensor z = at::empty({batch, r, d}, x.options()), total = at::empty({batch, r}, x.options());
    const auto one = [&](int64_t b) {
      const Tensor x_ND = x[b], g_RD = g[b];
      Tensor a_RN = a[b];
      for_slices(n, [&](int64_t first, int64_t count, int) {
        multiply(a_RN.narrow(1, first, count), g_RD, x_ND.narrow(0, first, count).t());
      });
      const float* bias_N = bias ? (*bias)[b].const_data_ptr<float>() : nullptr;
      float* ap = a_RN.mutable_data_ptr<float>();
      for_rows(r, n, [&](int64_t first, int64_t count, int) {
        for (int64_t i = first; i < first + count; ++i) simd().softmax(n, 1.0f, bias_N, ap + i * n);
      });
      PerThread zs({r, d}, x.options()), totals({r}, x.options());
      for_slices(n, [&](int64_t first, int64_t count, int thread) {
        Tensor kept = at::empty({r, count}, x.options());
        mask_columns(spec, a_RN, b * r * n, first, kept);
        multiply(zs[thread], kept, x_ND.narrow(0, first, count), /*accumulate=*/true);
        float* sums = totals[thread].mutable_data_ptr<float>();
        for (int64_t i = 0; i < r; ++i)
          sums[i] += simd().sum(count, kept.const_data_ptr<float>() + i * count);
      });
      z[b].copy_(zs.sum());
      total[b].copy_(totals.sum());
    };
    for_batch(batch, one);
    ctx->saved_data["p"] = p;
    ctx->saved_data["seed"] = seed;
    ctx->save_for_backward({g, x_in, a, z, total});
    return {z, total};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &g = saved[0], &x_in = saved[1], &a = saved[2], &z = saved[3], &total = saved[4];
    const Tensor x = x_in.contiguous();
    const Tensor dz = grads[0].contiguous(), dtotal = grads[1].contiguous();
    const int64_t batch = x.size(0), n = x.size(1), d = x.size(2), r = g.size(1);
    const MaskSpec spec = mask_spec(ctx->saved_data["p"].toDouble(), ctx->saved_data["seed"].toInt());
    // Σ_j A_ij·∂A_ij without a pass over A: it is what the outputs already hold.
    const Tensor dot = (dz * z).sum(-1) + dtotal * total;
    Tensor dx = at::empty_like(x), dg = at::empty_like(g);
    const auto one = [&](int64_t b) {
      const Tensor x_ND = x[b], a_RN = a[b], dz_RD = dz[b], rows = at::cat({dz_RD, g[b]});
      const float* ap = a_RN.const_data_ptr<float>();
      const float *dtp = dtotal[b].const_data_ptr<float>(), *dotp = dot[b].const_data_ptr<float>();
      PerThread dgs({r, d}, x.options());
      for_slices(n, [&](int64_t first, int64_t count, int thread) {
        const Tensor xs = x_ND.narrow(0, first, count);
        Tensor both = at::empty({2, r, count}, x.options());  // kept weights, then score gradients
        Tensor kept = both[0], ds = both[1];
        multiply(ds, dz_RD, xs.t());
        mask_columns(spec, a_RN, b * r * n, first, kept);
        float* dsp = ds.mutable_data_ptr<float>();
        const float* keptp = kept.const_data_ptr<float>();
        for (int64_t i = 0; i < r; ++i)  // A·(mask·(∂A + ∂total) − dot), with A·mask at hand
          simd().weight_gradient(count, dtp[i], dotp[i], ap + i * n + first, keptp + i * count,
                                 dsp + i * count);
        multiply(dx[b].narrow(0, first, count), both.view({2 * r, count}).t(), rows);
        multiply(dgs[thread], ds, xs, /*accumulate=*/true);
      });
      dg[b].copy_(dgs.sum());
    };
    for_batch(batch, one);
    return {dg, dx, {}, {}, {}};
  }
};

}  // namespace

Packed pack_rows(const Tensor& g_BRD, const Tensor& x_BND, const Tensor& bias_BN, Drop drop) {
  const variable_list out =
      PackFunction::apply(g_BRD.contiguous(), x_BND, if_defined(bias_BN), drop.probability, drop.seed);
  return {out[0], out[1]};
}

}  // namespace attnlab
