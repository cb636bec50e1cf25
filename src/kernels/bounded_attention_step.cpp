#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "kernels/bounded_attention.h"
#include "kernels/exact_weights.h"
#include "kernels/simd/simd.h"

namespace attnlab {
namespace {

/// Floats that make_figures works on: [S], [G, S], [d] and [G], or nothing.
int64_t figure_floats(const StepArguments& a) {
  return a.figure == SlotFigure::none ? 0 : (1 + a.shape.group()) * a.slots + a.shape.d + a.shape.group();
}

/// Floats that attend_unit works on: [G, S] logits; [S, d] keys, [G, d] queries and a key before it is
/// turned, where it turns them.
int64_t unit_floats(const StepArguments& a) {
  const int64_t group = a.shape.group();
  return group * a.slots + (a.positions ? (a.slots + group + 1) * a.shape.d : 0) + figure_floats(a);
}

/// logits [G, S] become weight_scale times softmax weights, of whose sum over the group `shares` are made.
void make_weights(const StepArguments& a, int64_t unit, float* logits) {
  const int64_t n = a.extent[unit];
  float* share = a.shares ? a.shares + unit * a.slots : nullptr;
  const float scale = 1.0f / std::sqrt(static_cast<float>(a.shape.d));
  for (int64_t g = 0; g < a.shape.group(); ++g) {
    float* weights = logits + g * a.slots;
    simd().scale_into(n, scale, weights, weights);
    const float total = simd().exp_masked(n, a.bias[unit], weights);
    simd().scale_into(n, weight_scale / total, weights, weights);
    if (share && g == 0) std::copy_n(weights, n, share);
    if (share && g > 0) simd().accumulate(n, weights, share);
  }
}

/// A unit's part of its lane's figures, once its outputs are there.
void make_figures(const StepArguments& a, int64_t unit, const float* weights, float* scratch) {
  const int64_t d = a.shape.d, group = a.shape.group(), n = a.extent[unit];
  const float lanes_part = 1.0f / static_cast<float>(a.lane_heads);
  const StoredRows rows = (a.figure == SlotFigure::output_change ? a.v : a.k) + unit * a.slots * d;
  float *out = a.figures + unit * a.slots, *squares = scratch, *dots = squares + a.slots,
        *sum = dots + group * a.slots;
  std::fill_n(out, n, 0.0f);
  if (rows.bf16)
    simd().row_squares_bf16(n, d, rows.bf16, squares);
  else
    simd().row_squares(n, d, rows.fp32, squares);
  if (a.figure == SlotFigure::output_change) {
    float* inverse = sum + d;
    std::fill_n(inverse, group, 1.0f / weight_scale);
    return add_output_changes({n, group, weights, a.slots, inverse}, d, rows, squares, a.y + unit * group * d,
                              lanes_part / static_cast<float>(group), dots, out);
  }
  std::transform(squares, squares + n, squares, inverse_length);
  inverse_lengths_of_live(n, a.bias[unit], squares, squares);
  const float* with = sum;
  if (a.figure == SlotFigure::newest_cosine)
    with = (rows + a.newest[unit] * d).wide(d, sum);
  else
    weigh_rows(n, d, rows, 1, squares, n, sum);
  dot_rows(n, d, rows, 1, with, dots, n);
  add_cosines(n, d, with, squares, dots, lanes_part, out);
}

/// The query heads of key-value head `unit` of all sequences' heads.
void attend_unit(const StepArguments& a, int64_t unit, float* logits) {
  const int64_t d = a.shape.d, group = a.shape.group(), n = a.extent[unit];
  const float* q = a.q + unit * group * d;
  StoredRows k = a.k + unit * a.slots * d;
  if (a.positions) {
    float *turned_k = logits + group * a.slots, *turned_q = turned_k + a.slots * d;
    float* wide = turned_q + group * d;
    const int64_t* at = a.positions[unit];
    for (int64_t s = 0; s < n; ++s) a.rotary.turn(at[s], (k + s * d).wide(d, wide), turned_k + s * d);
    for (int64_t g = 0; g < group; ++g) a.rotary.turn(at[a.newest[unit]], q + g * d, turned_q + g * d);
    k = {.fp32 = turned_k};
    q = turned_q;
  }
  float* y = a.y + unit * group * d;
  dot_rows(n, d, k, group, q, logits, a.slots);
  make_weights(a, unit, logits);
  weigh_rows(n, d, a.v + unit * a.slots * d, group, logits, a.slots, y);
  simd().scale_into(group * d, 1.0f / weight_scale, y, y);
  if (a.figure != SlotFigure::none) make_figures(a, unit, logits, logits + unit_floats(a) - figure_floats(a));
}

void attend_whole_units(const StepArguments& a, int64_t units, int64_t threads, std::vector<float>& scratch) {
  const int64_t each = unit_floats(a);
  scratch.resize(std::max(scratch.size(), static_cast<size_t>(threads * each)));
  at::parallel_for(0, units, 1, [&](int64_t begin, int64_t end) {
    float* logits = scratch.data() + (threads == 1 ? 0 : at::get_thread_num() * each);
    for (int64_t unit = begin; unit < end; ++unit)
      if (a.bias[unit]) attend_unit(a, unit, logits);
  });
}

/// Whether threads share units: where there are few, not a multiple of the threads, and much to read in each.
bool shares_units(const StepArguments& a, int64_t units, int64_t threads) {
  constexpr int64_t least_slots = 1024;  // below, waiting for each other twice takes what is won
  return threads > 1 && units % threads != 0 && units < 4 * threads && !a.positions &&
         *std::max_element(a.extent, a.extent + units) >= least_slots;
}

/// Every unit's slots in as many parts as there are threads: all logits, then all weights, then what each
/// part adds to the outputs.
void attend_shared_units(const StepArguments& a, int64_t units, int64_t parts, std::vector<float>& scratch) {
  const int64_t d = a.shape.d, group = a.shape.group(), logits_each = group * a.slots;
  const int64_t sums = units * (logits_each + parts * group * d);
  scratch.resize(std::max(scratch.size(), static_cast<size_t>(sums + figure_floats(a))));
  float *logits = scratch.data(), *outputs = logits + units * logits_each;
  const auto for_parts = [&](const auto& body) {
    at::parallel_for(0, units * parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t unit = i / parts, n = a.extent[unit];
        const int64_t first = i % parts * n / parts, count = (i % parts + 1) * n / parts - first;
        if (a.bias[unit]) body(i, unit, first, count);
      }
    });
  };
  for_parts([&](int64_t, int64_t unit, int64_t first, int64_t count) {
    dot_rows(count, d, a.k + (unit * a.slots + first) * d, group, a.q + unit * group * d,
             logits + unit * logits_each + first, a.slots);
  });
  for (int64_t unit = 0; unit < units; ++unit)
    if (a.bias[unit]) make_weights(a, unit, logits + unit * logits_each);
  for_parts([&](int64_t i, int64_t unit, int64_t first, int64_t count) {
    weigh_rows(count, d, a.v + (unit * a.slots + first) * d, group, logits + unit * logits_each + first,
               a.slots, outputs + i * group * d);
  });
  for (int64_t unit = 0; unit < units; ++unit) {
    float* y = a.y + unit * group * d;
    if (!a.bias[unit]) continue;
    simd().scale_into(group * d, 1.0f / weight_scale, outputs + unit * parts * group * d, y);
    for (int64_t part = 1; part < parts; ++part)
      simd().add_scaled(group * d, 1.0f / weight_scale, outputs + (unit * parts + part) * group * d, y);
    if (a.figure != SlotFigure::none)
      make_figures(a, unit, logits + unit * logits_each, scratch.data() + sums);
  }
}

}  // namespace

void attend_step(const StepArguments& a, std::vector<float>& scratch) {
  const int64_t units = a.batch * a.shape.kv_heads, width = a.shape.group() * a.shape.d;
  const int64_t threads = at::in_parallel_region() ? 1 : at::get_num_threads();
  for (int64_t unit = 0; unit < units; ++unit)
    if (!a.bias[unit]) std::fill_n(a.y + unit * width, width, 0.0f);
  if (shares_units(a, units, threads))
    attend_shared_units(a, units, threads, scratch);
  else
    attend_whole_units(a, units, threads, scratch);
}

ExactFigures exact_step_figures(const StepArguments& a, int64_t unit) {
  const int64_t d = a.shape.d, group = a.shape.group(), n = a.extent[unit], heads = a.lane_heads;
  const double share = 1.0 / static_cast<double>(heads * group);
  ExactFigures exact(n, a.figure);
  std::vector<float> turned_q(static_cast<size_t>(d)), turned_k(turned_q), wide(turned_q);
  for (int64_t h = unit; a.figure == SlotFigure::newest_cosine && h < unit + heads; ++h)
    exact.add_cosines(d, a.bias[unit], a.newest[unit], 1.0 / static_cast<double>(heads),
                      [&](int64_t slot) { return (a.k + (h * a.slots + slot) * d).wide(d, wide.data()); });
  for (int64_t i = unit * group; i < (unit + heads) * group; ++i) {
    const float* q = a.q + i * d;
    const StoredRows rows = a.k + i / group * a.slots * d;
    const int64_t* at = a.positions ? a.positions[i / group] : nullptr;
    if (at) a.rotary.turn(at[a.newest[i / group]], q, turned_q.data());
    const auto key = [&](int64_t slot) -> const float* {
      const float* k = (rows + slot * d).wide(d, wide.data());
      if (!at) return k;
      a.rotary.turn(at[slot], k, turned_k.data());
      return turned_k.data();
    };
    const auto value = [&](int64_t slot) {
      return (a.v + (i / group * a.slots + slot) * d).wide(d, wide.data());
    };
    exact.add(d, a.bias[unit], at ? turned_q.data() : q, share, key, value);
  }
  return exact;
}

void on_threads(int64_t count, const std::function<void(int64_t, int)>& body) {
  const int threads = at::in_parallel_region() ? 1 : at::get_num_threads();
  if (count < threads) {
    for (int64_t i = 0; i < count; ++i) body(i, threads);
    return;
  }
  side_by_side(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i, 1);
  });
}

void side_by_side(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
  at::parallel_for(0, count, grain, body);
}

}  // namespace attnlab
