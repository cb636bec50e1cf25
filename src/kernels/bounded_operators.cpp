#include "kernels/bounded_operators.h"

#include <algorithm>
#include <limits>

#include "kernels/bounded_attention.h"
#include "kernels/bounded_checks.h"
#include "kernels/exact_weights.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

/// The slot of the full lane from head `unit` on whose state goes; a.shares are scaled sums over each head's
/// query heads: for the order of their means these do as well.
int64_t lowest_of(const StepArguments& a, int64_t unit, const int64_t* order, const BoundedRule& rule) {
  const int64_t slots = a.slots;
  std::vector<double> scores(slots, 0.0), bar(slots, 0.0);
  std::vector<float> sum(slots, 0.0f);
  for (int64_t h = 0; h < a.lane_heads && !rule.by_age; ++h)
    simd().accumulate(slots, a.shares + (unit + h) * slots, sum.data());
  if (!rule.by_age && order_is_open(slots, a.bias[unit], sum.data()))
    scores = exact_step_figures(a, unit).mean;
  else
    std::copy(sum.begin(), sum.end(), scores.begin());
  for (int64_t s = 0; s < slots; ++s)
    if (order[s] < rule.protect_first) bar[s] = std::numeric_limits<double>::infinity();
  return simd().lowest(slots, scores.data(), bar.data(), order);
}

}  // namespace

std::tuple<Tensor, Tensor> bounded_attention_step(const Tensor& q, const Tensor& k, const Tensor& v,
                                                  const Tensor& bias, const Tensor& extent) {
  check_no_gradient({q, k, v});
  check_step_shapes(q, k, v);
  const int64_t batch = k.size(0), kv_heads = k.size(1), slots = k.size(2), units = batch * kv_heads;
  check_heads(q.size(1), kv_heads);
  TORCH_CHECK(!bias.defined() || bias.sizes() == k.sizes().slice(0, 3), "expected bias [B, K, S], not ",
              bias.defined() ? bias.sizes() : at::IntArrayRef());
  TORCH_CHECK(!extent.defined() || (extent.sizes() == k.sizes().slice(0, 2) && extent.is_cpu() &&
                                    extent.scalar_type() == torch::kLong),
              "expected extent [B, K] of int64 on the CPU");

  std::vector<int64_t> ends(units, slots);
  if (extent.defined()) std::copy_n(extent.const_data_ptr<int64_t>(), units, ends.begin());
  for (const int64_t end : ends)
    TORCH_CHECK(0 <= end && end <= slots, "an extent of ", end, " is outside the ", slots, " slots");
  const std::vector<float> all_seen(bias.defined() ? 0 : slots, 0.0f);
  std::vector<const float*> biases(units, all_seen.data());
  for (int64_t unit = 0; unit < units; ++unit) {
    if (bias.defined()) biases[unit] = bias.const_data_ptr<float>() + unit * slots;
    const bool sees =
        std::any_of(biases[unit], biases[unit] + ends[unit], [](float b) { return b != minus_infinity; });
    if (!sees) biases[unit] = nullptr;
  }

  Tensor y = torch::empty_like(q), shares = torch::zeros({batch, kv_heads, slots}, q.options());
  std::vector<float> scratch;
  attend_step({.shape = {q.size(1), kv_heads, q.size(2)},
               .batch = batch,
               .slots = slots,
               .q = q.const_data_ptr<float>(),
               .k = k.const_data_ptr<float>(),
               .v = v.const_data_ptr<float>(),
               .bias = biases.data(),
               .extent = ends.data(),
               .y = y.mutable_data_ptr<float>(),
               .shares = shares.mutable_data_ptr<float>()},
              scratch);
  return {y, shares.mul_(1.0f / weight_scale)};
}

std::tuple<Tensor, Tensor> bounded_decode_step(const Tensor& q, const Tensor& k, const Tensor& v,
                                               const KeptStates& kept, BoundedRule rule,
                                               const Tensor& present) {
  check_no_gradient({q, k, v, kept.k, kept.v});
  check_size(rule.size, rule.protect_first);
  const int64_t lanes = check_decode_shapes(q, k, v, kept.k, kept.v, kept.order, kept.counts, rule.size);
  const int64_t batch = q.size(0), kv_heads = k.size(1), d = q.size(2), units = batch * kv_heads;
  check_heads(q.size(1), kv_heads);
  if (present.defined()) check_beside(present, q, torch::kBool, {batch}, "present [B]");
  Tensor y = torch::empty_like(q), dropped = torch::full({lanes}, -1, torch::kLong);
  if (q.numel() == 0) return {y, dropped};

  const int64_t slots = rule.size + 1, heads = units / lanes;
  const auto absent = [&](int64_t lane) {
    return present.defined() && !present.const_data_ptr<bool>()[lane * batch / lanes];
  };
  int64_t* const counts = kept.counts.mutable_data_ptr<int64_t>();
  const std::vector<float> all_seen(slots, 0.0f);
  std::vector<const float*> biases(units, nullptr);
  std::vector<int64_t> ends(units, 0);
  for (int64_t unit = 0; unit < units; ++unit) {
    if (absent(unit / heads)) continue;
    const int64_t live = counts[3 * (unit / heads) + 1], slot = counts[3 * (unit / heads) + 2];
    TORCH_CHECK(0 <= slot && slot <= live && live < slots, "counts do not fit a cache of ", rule.size,
                " states");
    biases[unit] = all_seen.data();
    ends[unit] = live + 1;
    std::copy_n(k.const_data_ptr<float>() + unit * d, d,
                kept.k.mutable_data_ptr<float>() + (unit * slots + slot) * d);
    std::copy_n(v.const_data_ptr<float>() + unit * d, d,
                kept.v.mutable_data_ptr<float>() + (unit * slots + slot) * d);
  }
  std::vector<float> scratch, shares(units * slots);
  const StepArguments step{.shape = {q.size(1), kv_heads, d},
                           .batch = batch,
                           .slots = slots,
                           .q = q.const_data_ptr<float>(),
                           .k = kept.k.const_data_ptr<float>(),
                           .v = kept.v.const_data_ptr<float>(),
                           .bias = biases.data(),
                           .extent = ends.data(),
                           .y = y.mutable_data_ptr<float>(),
                           .shares = shares.data(),
                           .lane_heads = heads};
  attend_step(step, scratch);
  for (int64_t lane = 0; lane < lanes; ++lane) {
    if (absent(lane)) continue;
    int64_t *const order = kept.order.mutable_data_ptr<int64_t>() + lane * slots, *const count =
                                                                                      counts + 3 * lane;
    order[count[2]] = count[0]++;
    if (count[1] < rule.size) {
      count[2] = ++count[1];
      continue;
    }
    const int64_t slot = lowest_of(step, lane * heads, order, rule);
    TORCH_CHECK(slot >= 0, "order does not fit a cache of ", rule.size, " states: all of them are protected");
    dropped.mutable_data_ptr<int64_t>()[lane] = order[slot];
    count[2] = slot;
  }
  return {y, dropped};
}

}  // namespace attnlab
