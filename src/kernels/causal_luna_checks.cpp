#include "kernels/causal_luna_checks.h"

#include <array>
#include <utility>

namespace attnlab {
namespace {

using Named = std::pair<const char*, const Tensor&>;

std::array<Named, 4> floating(const CausalLunaOperands& x) {
  return {{{"q", x.q}, {"k", x.k}, {"v", x.v}, {"a", x.a}}};
}
std::array<Named, 6> all_of(const CausalLunaOperands& x) {
  return {{{"q", x.q}, {"k", x.k}, {"v", x.v}, {"a", x.a}, {"counts", x.counts}, {"masked", x.masked}}};
}

/// Others have no shapes, or no rows.
void check_luna_layouts(const CausalLunaOperands& x) {
  for (const auto& [name, t] : floating(x))
    TORCH_CHECK(t.defined(), "causal Luna takes q, k, v and a, and ", name, " is missing");
  for (const auto& [name, t] : all_of(x)) {
    if (!t.defined()) continue;
    TORCH_CHECK(!t.is_nested(), "causal Luna takes dense tensors, and ", name, " is nested");
    TORCH_CHECK(t.layout() == torch::kStrided, "causal Luna takes dense tensors, and ", name, " is ",
                t.layout());
  }
}

void check_luna_shapes(const CausalLunaOperands& x) {
  const auto& [q, k, v, a, counts, masked] = x;
  const auto sizes = q.sizes();
  TORCH_CHECK(q.dim() == 4 && k.sizes() == sizes && v.sizes() == sizes,
              "causal Luna takes q, k and v of one shape [B, H, N, d], not ", sizes, ", ", k.sizes(), " and ",
              v.sizes());
  TORCH_CHECK(a.dim() == 4 && a.sizes().slice(0, 3) == sizes.slice(0, 3),
              "causal Luna takes a of shape [B, H, N, L] beside q of ", sizes, ", not ", a.sizes());
  TORCH_CHECK(sizes[2] > 0 && sizes[3] > 0, "causal Luna takes at least one token and one column, not ",
              sizes);
  TORCH_CHECK(a.size(3) > 0, "causal Luna takes at least one row of P, and a of ", a.sizes(), " has none");
  TORCH_CHECK(!counts.defined() || counts.sizes() == at::IntArrayRef({sizes[0], sizes[2]}),
              "causal Luna takes counts of shape [B, N] beside q of ", sizes, ", not ", counts.sizes());
  TORCH_CHECK(!masked.defined() || masked.sizes() == at::IntArrayRef({sizes[0], a.size(3)}),
              "causal Luna takes masked of shape [B, L] beside a of ", a.sizes(), ", not ", masked.sizes());
}

/// Whole numbers would be computed with and then cut off, and fp64 rounded in silence, where others are not;
/// narrow types beside fp32 are what autocast makes. Another device's memory would be read as this one's.
void check_luna_types_and_devices(const CausalLunaOperands& x) {
  for (const auto& [name, t] : floating(x))
    TORCH_CHECK(t.is_floating_point(), "causal Luna takes q, k, v and a of floating point, and ", name,
                " is of ", t.scalar_type());
  for (const auto& [name, t] : floating(x))
    TORCH_CHECK((t.scalar_type() == torch::kDouble) == (x.q.scalar_type() == torch::kDouble),
                "causal Luna takes q, k, v and a all in fp64 or none, and q is of ", x.q.scalar_type(),
                " and ", name, " of ", t.scalar_type());
  for (const auto& [name, t] : all_of(x))
    TORCH_CHECK(!t.defined() || t.device() == x.q.device(),
                "causal Luna takes tensors of one device, and q is on ", x.q.device(), " and ", name, " on ",
                t.device());
  TORCH_CHECK(!x.counts.defined() || at::isIntegralType(x.counts.scalar_type(), /*includeBool=*/false),
              "causal Luna takes counts of whole numbers, not of ", x.counts.scalar_type());
  TORCH_CHECK(!x.masked.defined() || x.masked.scalar_type() == torch::kBool,
              "causal Luna takes masked of bool, not of ", x.masked.scalar_type());
}

/// On a device they would have to be waited for.
void check_luna_counts(const Tensor& counts) {
  if (!counts.defined() || !counts.is_cpu() || is_without_memory(counts) || counts.numel() == 0) return;
  const auto least = counts.min().item<int64_t>();
  TORCH_CHECK(least >= 0, "causal Luna takes counts of 0 or more tokens, not of ", least);
}

}  // namespace

void check_causal_luna(const CausalLunaOperands& x, Drop drop) {
  check_luna_layouts(x);
  check_luna_shapes(x);
  check_luna_types_and_devices(x);
  check_luna_counts(x.counts);
  TORCH_CHECK(drop.probability >= 0 && drop.probability < 1,
              "causal Luna takes a probability of dropout from 0 to below 1, not ", drop.probability);
}

bool is_without_memory(const Tensor& x) { return x.unsafeGetTensorImpl()->key_set().has_any(c10::python_ks); }

void refuse_second_derivative() {
  TORCH_CHECK(
      !torch::GradMode::is_enabled(),
      "causal Luna's scan has no second derivative: where backward makes a graph (create_graph), form "
      "must be chunks or outer_products");
}

}  // namespace attnlab
