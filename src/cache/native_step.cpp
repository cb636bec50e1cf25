// One token at a time on the CPU in fp32: the new state takes a free slot, one pass gives output and weights,
// and the slot of what is dropped is the next one to be taken. Nothing is allocated once the scratch is
// there. Whole texts come this way too where gaps are compressed: what is dropped moves the positions of the
// rest, so that no key can be multiplied in advance.
#include <algorithm>

#include "cache/bounded_state.h"
#include "cache/stored_tensor.h"
#include "kernels/bounded_attention.h"
#include "kernels/native.h"

namespace attnlab {

void BoundedState::place_in_step(const TokenCall& call, int64_t t) {
  const int64_t kv = shape_.kv_heads, d = shape_.head_dim, heads = lane_kv_heads(), slots = capacity();
  const float *k = call.k_BTKd.const_data_ptr<float>(), *v = call.v_BTKd.const_data_ptr<float>();
  const StoredTensor kept_k(k_BKSd_), kept_v(v_BKSd_);
  for (int64_t b = 0; b < call.batch(); ++b)
    for (int64_t g = 0; g < groups(); ++g) {
      const bool has_token = call.has_token(b, t);
      Lane& lane = this->lane(b, g);
      const int64_t slot = has_token ? lane.take() : 0;
      if (has_token) lane.arrive(slot, call.arrival(b, t, g * heads, heads));
      for (int64_t h = g * heads; h < (g + 1) * heads; ++h) {
        const int64_t unit = b * kv + h, from = ((b * call.length() + t) * kv + h) * d;
        step_.bias[unit] = has_token ? lane.bias() : nullptr;
        step_.extent[unit] = lane.extent();
        step_.newest[unit] = slot;
        if (!has_token) continue;
        kept_k.put((unit * slots + slot) * d, d, k + from);
        kept_v.put((unit * slots + slot) * d, d, v + from);
      }
    }
}

void BoundedState::position_for_step() {
  const int64_t heads = lane_kv_heads();
  side_by_side(static_cast<int64_t>(lanes_.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      std::fill_n(step_.positions.begin() + i * heads, heads, step_.gaps[i].of(lanes_[i].order()).data());
  });
}

void BoundedState::settle_after(const StepArguments& step) {
  const int64_t heads = lane_kv_heads(), slots = step.slots;
  const float each = static_cast<float>(groups()) / static_cast<float>(shape_.heads);
  side_by_side(static_cast<int64_t>(lanes_.size()), 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t unit = i * heads, extent = step_.extent[unit];
      if (!step_.bias[unit]) continue;
      float* mean = step_.shares.data() + unit * slots;  // the first head's place
      for (int64_t h = 1; h < heads; ++h) simd().accumulate(extent, mean + h * slots, mean);
      simd().scale_into(extent, each, mean, mean);
      float* figures = step_.figures.empty() ? nullptr : step_.figures.data() + unit * slots;
      for (int64_t h = 1; figures && h < heads; ++h) simd().accumulate(extent, figures + h * slots, figures);
      Lane& lane = lanes_[i];
      if (lane.reads_weights() && order_is_open(extent, step_.bias[unit], mean)) {
        const ExactFigures exact = exact_step_figures(step, unit);
        lane.decide(std::span(exact.mean), std::span(exact.figures));
      } else {
        lane.decide(std::span<const float>(mean, extent),
                    std::span<const float>(figures, figures ? extent : 0));
      }
      lane.recycle();
    }
  });
}

Tensor BoundedState::native_steps(const TokenCall& call, const Rope& rope) {
  const int64_t kv = shape_.kv_heads;
  make_room(call);
  const int64_t slots = capacity();
  Tensor y_BTHd = torch::empty_like(call.q_BTHd);
  step_.resize(call.batch() * kv, slots, needs_.figure != SlotFigure::none);
  RotaryTable rotary;
  if (options_.compress_gaps) {
    rotary = rope.table(std::min(widest_gap * slots, columns_ + call.length()));
    step_.gaps.resize(lanes_.size());
  }
  for (int64_t t = 0; t < call.length(); ++t) {
    place_in_step(call, t);
    if (options_.compress_gaps) position_for_step();
    // With more tokens than one a sequence's queries are not side by side: each step has its own output.
    const Tensor q_BHd = call.q_BTHd.select(1, t).contiguous();
    Tensor y_BHd = call.length() == 1 ? y_BTHd.select(1, 0) : torch::empty_like(q_BHd);
    const StepArguments step{.shape = {shape_.heads, kv, shape_.head_dim},
                             .batch = call.batch(),
                             .slots = slots,
                             .q = q_BHd.const_data_ptr<float>(),
                             .k = StoredTensor(k_BKSd_).rows(0),
                             .v = StoredTensor(v_BKSd_).rows(0),
                             .bias = step_.bias.data(),
                             .extent = step_.extent.data(),
                             .y = y_BHd.mutable_data_ptr<float>(),
                             .shares = step_.shares.data(),
                             .positions = options_.compress_gaps ? step_.positions.data() : nullptr,
                             .newest = step_.newest.data(),
                             .rotary = rotary,
                             .figure = needs_.figure,
                             .figures = step_.figures.data(),
                             .lane_heads = lane_kv_heads()};
    attend_step(step, step_.scratch);
    if (call.length() > 1) y_BTHd.select(1, t).copy_(y_BHd);
    settle_after(step);
  }
  return y_BTHd;
}

}  // namespace attnlab
