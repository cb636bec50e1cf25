#include "kernels/causal_luna_native.h"

#include <cstdlib>
#include <memory>

#include "kernels/causal_luna_checks.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Fewer tokens are not worth a thread of their own.
constexpr int64_t least_stretch = 512;
/// Tokens of one head after which the next head takes its turn: heads lie side by side in a token's row, and
/// going through a long text for each of them anew would look up every page as often.
constexpr int64_t turn_tokens = 256;

enum class Through { forwards, backwards };

/// How the tokens of every head are shared out.
struct Stretches {
  Stretches(int64_t heads, int64_t n) : heads(heads), tokens(n) {
    const int64_t threads = at::in_parallel_region() ? 1 : at::get_num_threads();
    if (heads >= 2 * threads || heads % threads == 0) return;
    each = std::clamp<int64_t>(n / least_stretch, 1, threads);
    tokens = ((n + each - 1) / each + luna_chunk - 1) / luna_chunk * luna_chunk;
    each = (n + tokens - 1) / tokens;
  }
  /// Whether sums pass from one turn to another.
  bool carries_sums() const { return each > 1 || tokens > turn_tokens; }

  int64_t heads, each = 1;  ///< stretches of a head
  int64_t tokens;           ///< of a stretch
};

/// What the scans read of a batch: rows may be apart, the numbers of a row may not.
struct LunaBatch {
  LunaBatch(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& a, const Tensor& parts,
            const Tensor& bias, const MaskSpec& mask, Tensor u)
      : q(rows(q)),
        k(rows(k)),
        v(rows(v)),
        a(rows(a)),
        parts(parts.contiguous()),
        mask(mask),
        u(std::move(u)) {
    if (bias.defined()) this->bias = bias.contiguous();
  }
  static Tensor rows(const Tensor& x) { return x.stride(-1) == 1 || x.size(-1) == 1 ? x : x.contiguous(); }

  int64_t heads() const { return q.size(0) * q.size(1); }
  int64_t n() const { return q.size(2); }
  /// Numbers of one head's sums.
  int64_t sums() const { return a.size(3) * 2 * q.size(3); }
  Tensor no_sums(int64_t each) const { return at::zeros({heads(), each, sums()}, q.options()); }

  Tensor q, k, v, a, parts, bias;
  MaskSpec mask;
  Tensor u;
};

const float* of_head(const Tensor& x, int64_t b, int64_t h) {
  return x.const_data_ptr<float>() + b * x.stride(0) + h * x.stride(1);
}
Rows rows_of(const Tensor& x, int64_t b, int64_t h, int64_t first) {
  return {of_head(x, b, h) + first * x.stride(2), x.stride(2)};
}
MutableRows mutable_rows_of(const Tensor& x, int64_t b, int64_t h, int64_t first) {
  float* const at = x.mutable_data_ptr<float>() + b * x.stride(0) + h * x.stride(1);
  return {at + first * x.stride(2), x.stride(2)};
}

/// A thread's space to compute in, on a line of the cache.
class AlignedFloats {
 public:
  explicit AlignedFloats(int64_t numbers)
      : at_(static_cast<float*>(std::aligned_alloc(64, static_cast<size_t>((numbers * 4 + 63) / 64 * 64)))) {}
  float* get() const { return at_.get(); }

 private:
  struct Free {
    void operator()(float* at) const { std::free(at); }
  };
  std::unique_ptr<float, Free> at_;
};

/// Room for l weights a token, chunk by chunk.
Tensor empty_weights(const Tensor& a_BHNL) {
  const int64_t chunks = (a_BHNL.size(2) + luna_chunk - 1) / luna_chunk;
  return at::empty({a_BHNL.size(0), a_BHNL.size(1), chunks, a_BHNL.size(3), luna_chunk}, a_BHNL.options());
}
/// Those of the chunk that begins with token `first`.
float* weights_of(const Tensor& all, int64_t b, int64_t h, int64_t first) {
  return all.mutable_data_ptr<float>() + b * all.stride(0) + h * all.stride(1) +
         first / luna_chunk * all.stride(2);
}

/// One stretch of one head.
struct Stretch {
  int64_t b, h, index;
  int64_t first;  ///< token
  LunaTokens tokens;
};

LunaTokens tokens_of(const LunaBatch& x, int64_t b, int64_t h, int64_t first, int64_t count, float* scratch) {
  const int64_t heads = x.q.size(1), n = x.n(), l = x.a.size(3);
  return {.n = count,
          .d = x.q.size(3),
          .l = l,
          .q = rows_of(x.q, b, h, first),
          .k = rows_of(x.k, b, h, first),
          .v = rows_of(x.v, b, h, first),
          .a = rows_of(x.a, b, h, first),
          .parts = x.parts.const_data_ptr<float>() + (x.parts.size(0) == 1 ? 0 : b * n) + first,
          .bias = x.bias.defined() ? x.bias.const_data_ptr<float>() + b * l : nullptr,
          .mask = x.mask,
          .first = ((b * heads + h) * n + first) * l,
          .u = x.u.defined() ? weights_of(x.u, b, h, first) : nullptr,
          .scratch = scratch};
}

/// Runs body(stretch) for the turns of stretches [begin, end) of every head, on all threads: those of a
/// stretch in this order, on one thread.
template <class Body>
void for_stretches(const LunaBatch& x, const Stretches& s, int64_t begin, int64_t end, Through order,
                   const Body& body) {
  const int64_t count = end - begin, heads = x.q.size(1), turns = (s.tokens + turn_tokens - 1) / turn_tokens;
  at::parallel_for(0, s.heads * count, 1, [&](int64_t from, int64_t to) {
    const torch::NoGradGuard no_grad;
    const AlignedFloats scratch(simd().luna_scratch(x.a.size(3), x.q.size(3)));
    for (int64_t turn = 0; turn < turns; ++turn)
      for (int64_t i = from; i < to; ++i) {
        const int64_t head = i / count, index = begin + i % count, b = head / heads, h = head % heads;
        const int64_t within = (order == Through::forwards ? turn : turns - 1 - turn) * turn_tokens;
        const int64_t first = index * s.tokens + within;
        const int64_t tokens = std::min({turn_tokens, s.tokens - within, x.n() - first});
        if (tokens > 0) body(Stretch{b, h, index, first, tokens_of(x, b, h, first, tokens, scratch.get())});
      }
  });
}

/// Null where a head is done in one turn, from nothing.
float* sums_of(const LunaBatch& x, Tensor& sums, const Stretch& at, int64_t index) {
  if (!sums.defined()) return nullptr;
  return sums.mutable_data_ptr<float>() + ((at.b * x.q.size(1) + at.h) * sums.size(1) + index) * x.sums();
}

/// The sums of the tokens before every stretch, where the first stretches' are given.
void sums_before_stretches(const LunaBatch& x, const Stretches& s, Tensor& sums) {
  for_stretches(x, s, 0, s.each - 1, Through::forwards,
                [&](const Stretch& at) { simd().luna_sums(at.tokens, sums_of(x, sums, at, at.index + 1)); });
  for (int64_t i = 1; i < s.each; ++i) sums.select(1, i).add_(sums.select(1, i - 1));
}

/// [B, H, N, w] whose memory is [B, N, H, w]: the heads of a token side by side, as layers have them.
Tensor empty_by_token(const Tensor& like_BHNw) {
  const auto s = like_BHNw.sizes();
  return at::empty({s[0], s[2], s[1], s[3]}, like_BHNw.options()).transpose(1, 2);
}

Tensor scan(const LunaBatch& x, const Stretches& s, Tensor& sums) {
  sums_before_stretches(x, s, sums);
  const Tensor y = empty_by_token(x.q);
  for_stretches(x, s, 0, s.each, Through::forwards, [&](const Stretch& at) {
    simd().luna_forward(at.tokens, sums_of(x, sums, at, at.index), mutable_rows_of(y, at.b, at.h, at.first));
  });
  return y;
}

struct LunaGradients {
  Tensor dq, dk, dv, da;
};

LunaGradients gradients(const LunaBatch& x, const Tensor& grad) {
  const Tensor dy = LunaBatch::rows(grad.resolve_neg());
  const Stretches s(x.heads(), x.n());
  const LunaGradients to{empty_by_token(x.q), empty_by_token(x.k), empty_by_token(x.v),
                         at::empty(x.a.sizes(), x.a.options())};
  const Tensor dlogits = at::empty_like(x.u);
  const auto gradient_of = [&](const Stretch& at) {
    return LunaGradient{.dy = rows_of(dy, at.b, at.h, at.first),
                        .dq = mutable_rows_of(to.dq, at.b, at.h, at.first),
                        .dk = mutable_rows_of(to.dk, at.b, at.h, at.first),
                        .dv = mutable_rows_of(to.dv, at.b, at.h, at.first),
                        .da = mutable_rows_of(to.da, at.b, at.h, at.first),
                        .dlogits = weights_of(dlogits, at.b, at.h, at.first)};
  };
  Tensor before, behind;
  if (s.carries_sums()) {
    before = x.no_sums(s.each);
    behind = x.no_sums(s.each);
  }
  sums_before_stretches(x, s, before);
  for_stretches(x, s, 0, s.each, Through::forwards, [&](const Stretch& at) {
    simd().luna_backward_queries(at.tokens, gradient_of(at), sums_of(x, before, at, at.index));
  });
  for_stretches(x, s, 1, s.each, Through::forwards, [&](const Stretch& at) {
    simd().luna_suffix_sums(at.tokens, gradient_of(at), sums_of(x, behind, at, at.index - 1));
  });
  for (int64_t i = s.each - 2; i >= 0; --i) behind.select(1, i).add_(behind.select(1, i + 1));
  for_stretches(x, s, 0, s.each, Through::backwards, [&](const Stretch& at) {
    simd().luna_backward_keys(at.tokens, gradient_of(at), sums_of(x, behind, at, at.index));
  });
  return to;
}

struct CausalLunaFunction : torch::autograd::Function<CausalLunaFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& q, const Tensor& k, const Tensor& v,
                        const Tensor& a, const Tensor& parts, const std::optional<Tensor>& bias, double p,
                        int64_t seed) {
    const bool for_backward =
        q.requires_grad() || k.requires_grad() || v.requires_grad() || a.requires_grad();
    const LunaBatch x(q, k, v, a, parts, bias.value_or(Tensor()), mask_spec(p, seed),
                      for_backward ? empty_weights(a) : Tensor());
    const Stretches s(x.heads(), x.n());
    Tensor sums = s.carries_sums() ? x.no_sums(s.each) : Tensor();
    const Tensor y = scan(x, s, sums);
    ctx->saved_data["p"] = p;
    ctx->saved_data["seed"] = seed;
    ctx->save_for_backward({q, k, v, a, parts, bias.value_or(Tensor()), x.u});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    refuse_second_derivative();
    const variable_list saved = ctx->get_saved_variables();
    const MaskSpec mask = mask_spec(ctx->saved_data["p"].toDouble(), ctx->saved_data["seed"].toInt());
    const LunaBatch x(saved[0], saved[1], saved[2], saved[3], saved[4], saved[5], mask, saved[6]);
    const LunaGradients to = gradients(x, grads[0]);
    return {to.dq, to.dk, to.dv, to.da, {}, {}, {}, {}};
  }
};

}  // namespace

Tensor native_causal_luna(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& a,
                          const Tensor& parts, const Tensor& bias, Drop drop) {
  return CausalLunaFunction::apply(q, k, v, a, parts, if_defined(bias), drop.probability, drop.seed);
}

Tensor native_causal_luna_append(Tensor& sums_RHL2d, const Tensor& q, const Tensor& k, const Tensor& v,
                                 const Tensor& a, const Tensor& parts, const Tensor& bias) {
  const LunaBatch x(q, k, v, a, parts, bias, {}, {});
  const Stretches s(x.heads(), x.n());
  Tensor sums = x.no_sums(s.each);
  sums.select(1, 0).copy_(sums_RHL2d.view({x.heads(), -1}));
  const Tensor y = scan(x, s, sums);
  sums_RHL2d = sums.select(1, s.each - 1).clone().view_as(sums_RHL2d);
  return y;
}

Tensor native_causal_luna_step(CausalLunaSums& sums, const Tensor& q_RHd, const Tensor& k_RHd,
                               const Tensor& v_RHd, const Tensor& a_RHL, const Tensor& bias_RL) {
  const int64_t rows = q_RHd.size(0), heads = q_RHd.size(1), d = q_RHd.size(2), l = a_RHL.size(2);
  Tensor to = at::empty({rows, heads, l, 2, d}, q_RHd.options()), y = at::empty_like(q_RHd);
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

}  // namespace attnlab
