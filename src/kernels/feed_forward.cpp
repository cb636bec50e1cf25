#include "kernels/linear.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// One call's shapes and pointers, shared by the two directions. R rows of x, width D, inner width F.
struct Layer {
  Tensor x_RD, w1_FD, b1_F, w2_DF;
  Activation activation;
  MaskSpec mask;
  int64_t rows() const { return x_RD.size(0); }
  int64_t inner() const { return w1_FD.size(0); }
  const float* bias() const { return b1_F.const_data_ptr<float>(); }
};

/// act(h + b1)·mask for rows [first, first + n), into a.
void activate(const Layer& l, int64_t first, int64_t n, const Tensor& h, Tensor& a) {
  const auto function = l.activation == Activation::gelu ? simd().gelu : simd().relu;
  const int64_t f = l.inner();
  for (int64_t i = 0; i < n; ++i)
    function(l.mask, (first + i) * f, f, h.const_data_ptr<float>() + i * f, l.bias(),
             a.mutable_data_ptr<float>() + i * f);
}

constexpr size_t kOperands = 4;  // x, W1, b1 and W2, which are saved before the slices of h

size_t slice_at(int64_t first) { return kOperands + static_cast<size_t>(first / slice_rows); }

struct FeedForwardFunction : torch::autograd::Function<FeedForwardFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& w1, const Tensor& b1,
                        const Tensor& w2, const Tensor& b2, int64_t activation, double p, int64_t seed,
                        bool recompute) {
    const Layer l{x.contiguous().view({-1, x.size(-1)}),
                  w1,
                  b1,
                  w2,
                  static_cast<Activation>(activation),
                  mask_spec(p, seed)};
    const int64_t f = l.inner();
    Tensor y = at::empty({l.rows(), w2.size(0)}, x.options());
    variable_list saved{x, w1, b1, w2};
    if (!recompute) saved.resize(slice_at(l.rows() + slice_rows - 1));
    for_slices(l.rows(), [&](int64_t first, int64_t n, int) {
      Tensor h = product(l.x_RD.narrow(0, first, n), w1), a = recompute ? h : at::empty({n, f}, x.options());
      activate(l, first, n, h, a);
      if (!recompute) saved[slice_at(first)] = h;
      y.narrow(0, first, n).copy_(product(a, w2, b2));
    });
    ctx->saved_data["activation"] = activation;
    ctx->saved_data["p"] = p;
    ctx->saved_data["seed"] = seed;
    ctx->save_for_backward(std::move(saved));
    auto shape = x.sizes().vec();
    shape.back() = w2.size(0);
    return y.view(shape);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor& x = saved[0];
    const bool recompute = saved.size() == kOperands;
    const Layer l{x.contiguous().view({-1, x.size(-1)}),
                  saved[1],
                  saved[2],
                  saved[3],
                  static_cast<Activation>(ctx->saved_data["activation"].toInt()),
                  mask_spec(ctx->saved_data["p"].toDouble(), ctx->saved_data["seed"].toInt())};
    const auto back = l.activation == Activation::gelu ? simd().gelu_backward : simd().relu_backward;
    const int64_t f = l.inner();
    const Tensor dy = grads[0].contiguous().view({l.rows(), -1});
    Tensor dx = at::empty_like(l.x_RD);
    // The gradient of W1 is gathered transposed: xᵀ·∂h runs 6 % faster than ∂hᵀ·x, whose output is tall.
    PerThread dw1t(l.w1_FD.t().sizes(), x.options()), dw2(l.w2_DF.sizes(), x.options()),
        db1({f}, x.options());
    for_slices(l.rows(), [&](int64_t first, int64_t n, int thread) {
      const Tensor xs = l.x_RD.narrow(0, first, n), dys = dy.narrow(0, first, n);
      const Tensor h = recompute ? product(xs, l.w1_FD) : saved[slice_at(first)];
      Tensor a = recompute ? h : at::empty({n, f}, x.options());
      const float* hp = h.const_data_ptr<float>();
      Tensor dh = product(dys, l.w2_DF.t());
      for (int64_t i = 0; i < n; ++i)
        back(l.mask, (first + i) * f, f, hp + i * f, l.bias(), a.mutable_data_ptr<float>() + i * f,
             dh.mutable_data_ptr<float>() + i * f, db1[thread].mutable_data_ptr<float>());
      multiply(dw2[thread], dys.t(), a, /*accumulate=*/true);
      multiply(dw1t[thread], xs.t(), dh, /*accumulate=*/true);
      dx.narrow(0, first, n).copy_(product(dh, l.w1_FD.t()));
    });
    return {dx.view(x.sizes()), dw1t.sum().t().contiguous(), db1.sum(), dw2.sum(), dy.sum(0), {}, {}, {}, {}};
  }
};

}  // namespace

Tensor feed_forward(const Tensor& x, const Tensor& w1, const Tensor& b1, const Tensor& w2, const Tensor& b2,
                    Activation activation, Drop drop, bool recompute) {
  if (is_native(x))
    return FeedForwardFunction::apply(x, w1, b1, w2, b2, static_cast<int64_t>(activation), drop.probability,
                                      drop.seed, recompute);
  const Tensor h = at::linear(x, w1, b1);
  return at::linear(dropout(activation == Activation::gelu ? at::gelu(h) : at::relu(h), drop), w2, b2);
}

}  // namespace attnlab
