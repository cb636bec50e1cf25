// Registers the operators with Torch's dispatcher, for Python: torch.ops.load_library("libattnlab_ops.so").
#include <torch/library.h>

#include "kernels/bounded_operators.h"
#include "kernels/causal_luna.h"
#include "kernels/few_rows.h"
#include "kernels/native.h"
#include "kernels/projected_cross_entropy.h"

namespace attnlab {
namespace {

using MaybeTensor = std::optional<Tensor>;

Activation activation_named(c10::string_view name) {
  TORCH_CHECK(name == "relu" || name == "gelu", "activation must be relu or gelu, not ", name);
  return name == "gelu" ? Activation::gelu : Activation::relu;
}

SmoothedTargets::Convention convention_named(c10::string_view name) {
  TORCH_CHECK(name == "fairseq" || name == "uniform", "convention must be fairseq or uniform, not ", name);
  return name == "fairseq" ? SmoothedTargets::Convention::fairseq : SmoothedTargets::Convention::uniform;
}

CausalLunaForm form_named(c10::string_view name) {
  TORCH_CHECK(name == "scan" || name == "chunks" || name == "outer_products",
              "form must be scan, chunks or outer_products, not ", name);
  return name == "scan" ? CausalLunaForm::scan
                        : (name == "chunks" ? CausalLunaForm::chunks : CausalLunaForm::outer_products);
}

/// The native operators read plain memory: every tensor must be fp32 on the CPU.
void check_native(std::initializer_list<Tensor> tensors) {
  for (const Tensor& t : tensors)
    TORCH_CHECK(!t.defined() || is_fp32_on_cpu(t), "this operator takes fp32 tensors on the CPU, not ",
                t.toString());
}

Tensor or_undefined(const MaybeTensor& t) { return t ? t->contiguous() : Tensor(); }

}  // namespace

TORCH_LIBRARY(attnlab, m) {
  m.def("dropout(Tensor x, float p, int seed) -> Tensor", [](const Tensor& x, double p, int64_t seed) {
    return dropout(x, {p, seed});
  });
  m.def(
      "add_norm(Tensor? residual, Tensor x, Tensor weight, Tensor bias, float eps, float p=0.0, int seed=0) "
      "-> Tensor",
      [](const MaybeTensor& residual, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps,
         double p, int64_t seed) {
        return add_norm(or_undefined(residual), x, {p, seed}, weight, bias, eps);
      });
  m.def(
      "feed_forward(Tensor x, Tensor w1, Tensor b1, Tensor w2, Tensor b2, str activation='gelu', float "
      "p=0.0, int seed=0, bool recompute=False) -> Tensor",
      [](const Tensor& x, const Tensor& w1, const Tensor& b1, const Tensor& w2, const Tensor& b2,
         c10::string_view activation, double p, int64_t seed, bool recompute) {
        return feed_forward(x, w1, b1, w2, b2, activation_named(activation), {p, seed}, recompute);
      });
  m.def("pack_rows(Tensor g, Tensor x, Tensor? bias=None, float p=0.0, int seed=0) -> (Tensor, Tensor)",
        [](const Tensor& g, const Tensor& x, const MaybeTensor& bias, double p, int64_t seed) {
          const Tensor read_bias = or_undefined(bias);
          check_native({g, x, read_bias});
          const Packed packed = pack_rows(g, x, read_bias, {p, seed});
          return std::tuple(packed.z_BRD, packed.total_BR);
        });
  m.def(
      "unpack_rows(Tensor x, Tensor c, Tensor c0, Tensor e, Tensor b, int groups, float p=0.0, int seed=0) "
      "-> Tensor",
      [](const Tensor& x, const Tensor& c, const Tensor& c0, const Tensor& e, const Tensor& b, int64_t groups,
         double p, int64_t seed) {
        check_native({x, c, c0, e, b});
        return unpack_rows(x, c, c0, e, b, groups, {p, seed});
      });
  m.def(
      "weighted_attention(Tensor q, Tensor k, Tensor v, int heads, Tensor? bias=None, float p=0.0, int "
      "seed=0) -> Tensor",
      [](const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads, const MaybeTensor& bias, double p,
         int64_t seed) {
        const Tensor read_bias = or_undefined(bias);
        check_native({q, k, v, read_bias});
        return weighted_attention(q, k, v, heads, read_bias, {p, seed});
      });
  m.def(
      "projected_cross_entropy(Tensor hidden, Tensor weight, Tensor targets, Tensor? bias=None, float "
      "epsilon=0.0, str convention='fairseq', int ignored=-100) -> (Tensor smoothed, Tensor nll)",
      [](const Tensor& hidden, const Tensor& weight, const Tensor& targets, const MaybeTensor& bias,
         double epsilon, c10::string_view convention, int64_t ignored) {
        const ProjectedLoss loss = projected_cross_entropy(hidden, weight, bias.value_or(Tensor()), targets,
                                                           {epsilon, convention_named(convention), ignored});
        return std::tuple(loss.smoothed, loss.nll);
      });
  m.def(
      "causal_luna(Tensor q, Tensor k, Tensor v, Tensor a, Tensor? counts=None, Tensor? masked=None, float "
      "p=0.0, int seed=0, str form='scan') -> Tensor",
      [](const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& a, const MaybeTensor& counts,
         const MaybeTensor& masked, double p, int64_t seed, c10::string_view form) {
        return causal_luna(q, k, v, a, counts.value_or(Tensor()), masked.value_or(Tensor()), {p, seed},
                           form_named(form));
      });
  // What other devices' libraries implement for it; first, whether they can for q and so many rows of P.
  m.def("causal_luna_fits(Tensor q, int rows) -> bool");
  m.def(
      "causal_luna_forward(Tensor q, Tensor k, Tensor v, Tensor a, Tensor parts, Tensor? bias=None, Tensor? "
      "mask=None) -> (Tensor y, Tensor u)");
  m.def(
      "causal_luna_backward(Tensor dy, Tensor q, Tensor k, Tensor v, Tensor a, Tensor parts, Tensor u, "
      "Tensor? mask=None) -> (Tensor dq, Tensor dk, Tensor dv, Tensor da)");
  // Queries and keys [B, T, heads, d] in one pass over memory, their pairs (i, i + d/2) turned by the angles
  // of [B, T, d/2], in their type: on CUDA alone (cache/rope.cpp).
  m.def("turn_pairs(Tensor q, Tensor k, Tensor cosines, Tensor sines) -> (Tensor q, Tensor k)");
  m.def(
      "bounded_attention_step(Tensor q, Tensor k, Tensor v, Tensor? bias=None, Tensor? extent=None) -> "
      "(Tensor y, Tensor shares)",
      [](const Tensor& q, const Tensor& k, const Tensor& v, const MaybeTensor& bias,
         const MaybeTensor& extent) {
        check_native({q, k, v, bias.value_or(Tensor())});
        return bounded_attention_step(q.contiguous(), k.contiguous(), v.contiguous(), or_undefined(bias),
                                      or_undefined(extent));
      });
  m.def("tova_attention(Tensor q, Tensor k, Tensor v, int size) -> (Tensor y, Tensor expiry)",
        [](const Tensor& q, const Tensor& k, const Tensor& v, int64_t size) {
          check_native({q, k, v});
          return tova_attention(q.contiguous(), k.contiguous(), v.contiguous(), size);
        });
  m.def(
      "bounded_text(Tensor q, Tensor k, Tensor v, int size, int protect_first=0, bool by_age=False, bool "
      "apart=False, Tensor? present=None) -> (Tensor y, Tensor expiry)",
      [](const Tensor& q, const Tensor& k, const Tensor& v, int64_t size, int64_t protect_first, bool by_age,
         bool apart, const MaybeTensor& present) {
        check_native({q, k, v});
        return bounded_text(q.contiguous(), k.contiguous(), v.contiguous(), {size, protect_first, by_age},
                            apart, or_undefined(present));
      });
  m.def(
      "bounded_decode_step(Tensor q, Tensor k, Tensor v, Tensor(a!) kept_k, Tensor(b!) kept_v, Tensor(c!) "
      "order, Tensor(d!) counts, int size, int protect_first=0, bool by_age=False, Tensor? present=None) -> "
      "(Tensor y, Tensor dropped)",
      [](const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& kept_k, const Tensor& kept_v,
         const Tensor& order, const Tensor& counts, int64_t size, int64_t protect_first, bool by_age,
         const MaybeTensor& present) {
        check_native({q, k, v, kept_k, kept_v});
        return bounded_decode_step(q.contiguous(), k.contiguous(), v.contiguous(),
                                   {kept_k, kept_v, order, counts}, {size, protect_first, by_age},
                                   or_undefined(present));
      });
}

}  // namespace attnlab
