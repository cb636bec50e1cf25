#include "cache/full_state.h"

#include <algorithm>
#include <limits>

#include "cache/stored_tensor.h"
#include "core/error.h"
#include "kernels/bounded_attention.h"
#include "kernels/native.h"
#include "kernels/sdpa.h"

namespace attnlab {
namespace {

/// Queries that one masked call takes, so that its mask stays small.
constexpr int64_t masked_rows = 1024;

Tensor grown(const Tensor& x_BKLd, int64_t used, int64_t capacity) {
  Tensor larger = torch::zeros({x_BKLd.size(0), x_BKLd.size(1), capacity, x_BKLd.size(3)}, x_BKLd.options());
  larger.narrow(2, 0, used).copy_(x_BKLd.narrow(2, 0, used));
  return larger;
}

/// Whether flash attention reads these queries, and so also the last of more keys causally: with unequal
/// numbers of both its own operator lets the last query see the last key (torch/nn/attention/bias.py), while
/// scaled_dot_product_attention would need a mask, which flash has not.
bool is_flash(const Tensor& q_BTHd) {
  const int64_t d = q_BTHd.size(-1);
  return q_BTHd.is_cuda() && q_BTHd.scalar_type() == torch::kBFloat16 && d % 8 == 0 && d <= 256;
}

}  // namespace

FullState::FullState(const StateShape& shape, const StateRun& run, FullStep step)
    : shape_(shape), run_(run), with_(step) {
  k_BKLd_ = torch::zeros({run.batch, shape.kv_heads, 0, shape.head_dim},
                         torch::TensorOptions().dtype(run.kept()).device(run.device));
  v_BKLd_ = torch::zeros_like(k_BKLd_);
}

int64_t FullState::bytes() const {
  return static_cast<int64_t>(k_BKLd_.nbytes() + v_BKLd_.nbytes()) +
         (present_BL_.defined() ? static_cast<int64_t>(present_BL_.nbytes()) : 0);
}

void FullState::reorder(const Tensor& rows) {
  const torch::NoGradGuard no_grad;
  const Tensor on_device = rows.to(k_BKLd_.device());
  k_BKLd_ = k_BKLd_.index_select(0, on_device);
  v_BKLd_ = v_BKLd_.index_select(0, on_device);
  if (present_BL_.defined()) present_BL_ = present_BL_.index_select(0, on_device);
  bias_columns_ = 0;
}

std::unique_ptr<LayerState> FullState::copy(const Tensor& rows) const {
  auto copy = std::make_unique<FullState>(*this);
  copy->reorder(rows);  // which makes tensors of its own
  return copy;
}

std::map<std::string, Tensor> FullState::to_store() const {
  ensure(!present_BL_.defined(), "texts without padding");
  return {{"keys", k_BKLd_.narrow(2, 0, length_)}, {"values", v_BKLd_.narrow(2, 0, length_)}};
}

void FullState::restore(const std::map<std::string, Tensor>& stored) {
  k_BKLd_ = stored.at("keys");
  v_BKLd_ = stored.at("values");
  length_ = k_BKLd_.size(2);
  bias_columns_ = 0;
}

void FullState::append(const Tensor& k_BTKd, const Tensor& v_BTKd, const Tensor& padding_BT) {
  const int64_t t = k_BTKd.size(1), needed = length_ + t;
  if (needed > k_BKLd_.size(2)) {
    // The first call gets what it needs and a little room; after that the room doubles.
    const int64_t doubled = length_ == 0 ? needed + (t > 1 ? 0 : 63) : 2 * k_BKLd_.size(2);
    const int64_t capacity = std::max(needed, needed <= run_.expected ? run_.expected : doubled);
    k_BKLd_ = grown(k_BKLd_, length_, capacity);
    v_BKLd_ = grown(v_BKLd_, length_, capacity);
    if (present_BL_.defined())
      present_BL_ = torch::cat(
          {present_BL_,
           torch::ones({present_BL_.size(0), capacity - present_BL_.size(1)}, present_BL_.options())},
          1);
  }
  k_BKLd_.narrow(2, length_, t).copy_(k_BTKd.transpose(1, 2));
  v_BKLd_.narrow(2, length_, t).copy_(v_BTKd.transpose(1, 2));
  // Asking a GPU whether there is any would wait for it, at every layer: there the caller has looked.
  if (padding_BT.defined() && !present_BL_.defined() &&
      (padding_BT.is_cuda() || padding_BT.any().item<bool>()))
    present_BL_ = torch::ones({k_BKLd_.size(0), k_BKLd_.size(2)}, k_BKLd_.options().dtype(torch::kBool));
  if (padding_BT.defined() && present_BL_.defined())
    present_BL_.narrow(1, length_, t).copy_(padding_BT.logical_not());
  length_ = needed;
}

Tensor FullState::attend(const NewTokens& tokens, const Rope& rope) {
  const torch::NoGradGuard no_grad;
  ensure(tokens.q_BTHd.size(0) == k_BKLd_.size(0), "{} sequences, not {}", k_BKLd_.size(0),
         tokens.q_BTHd.size(0));
  const int64_t first = length_;
  const auto [q_BTHd, k_BTKd] = rope.rotate(tokens.q_BTHd, tokens.k_BTKd, tokens.positions_BT);
  append(k_BTKd, tokens.v_BTKd, tokens.padding_BT);
  if (!is_fp32_on_cpu(q_BTHd) || !StoredTensor::knows(k_BKLd_) || with_ != FullStep::native)
    return attend_to(q_BTHd, first);
  if (q_BTHd.size(1) == 1) return native_step(q_BTHd);
  return reads_in_blocks(q_BTHd) ? attend_in_blocks(q_BTHd, k_BTKd, tokens.v_BTKd, first)
                                 : attend_to(q_BTHd, first);
}

void FullState::refresh_bias() {
  const int64_t capacity = k_BKLd_.size(2), rows = present_BL_.defined() ? k_BKLd_.size(0) : 1;
  if (static_cast<int64_t>(bias_.size()) != rows * capacity) {
    bias_.assign(rows * capacity, 0.0f);
    bias_columns_ = 0;
  }
  if (present_BL_.defined())
    for (int64_t b = 0; b < rows; ++b) {
      const bool* present = present_BL_.const_data_ptr<bool>() + b * capacity;
      for (int64_t j = bias_columns_; j < length_; ++j)
        bias_[b * capacity + j] = present[j] ? 0.0f : -std::numeric_limits<float>::infinity();
    }
  bias_columns_ = length_;
}

Tensor FullState::native_step(const Tensor& q_BTHd) {
  const int64_t batch = q_BTHd.size(0), kv = shape_.kv_heads, d = shape_.head_dim, capacity = k_BKLd_.size(2);
  const int64_t from = shape_.sliding_window > 0 ? std::max<int64_t>(0, length_ - shape_.sliding_window) : 0;
  refresh_bias();
  step_.resize(batch * kv, 0);
  for (int64_t unit = 0; unit < batch * kv; ++unit) {
    const float* row = bias_.data() + (present_BL_.defined() ? unit / kv * capacity : 0);
    step_.bias[unit] = row[length_ - 1] == 0.0f ? row + from : nullptr;
    step_.extent[unit] = length_ - from;
  }
  const Tensor q = q_BTHd.contiguous();
  Tensor y_BTHd = torch::empty_like(q);
  attend_step({.shape = {shape_.heads, kv, d},
               .batch = batch,
               .slots = capacity,
               .q = q.const_data_ptr<float>(),
               .k = StoredTensor(k_BKLd_).rows(from * d),
               .v = StoredTensor(v_BKLd_).rows(from * d),
               .bias = step_.bias.data(),
               .extent = step_.extent.data(),
               .y = y_BTHd.mutable_data_ptr<float>()},
              step_.scratch);
  return y_BTHd;
}

Tensor FullState::attend_to(const Tensor& q_BTHd, int64_t first) const {
  const int64_t batch = q_BTHd.size(0), t = q_BTHd.size(1);
  const bool windowed = shape_.sliding_window > 0 && length_ > shape_.sliding_window;
  if (!present_BL_.defined() && !windowed && (first == 0 || t == 1)) return fused(q_BTHd, first, 0);
  if (!present_BL_.defined() && !windowed && is_flash(q_BTHd)) return fused(q_BTHd, first, 0);
  // With a mask: few queries at a time, and texts sequence by sequence where they differ.
  Tensor y_BTHd = torch::empty_like(q_BTHd);
  const int64_t together = present_BL_.defined() && t > 1 ? 1 : batch;
  for (int64_t b = 0; b < batch; b += together)
    for (int64_t row = 0; row < t; row += masked_rows) {
      const int64_t rows = std::min(masked_rows, t - row);
      const auto part = [&](const Tensor& x) { return x.narrow(0, b, together).narrow(1, row, rows); };
      part(y_BTHd).copy_(fused(part(q_BTHd), first + row, b));
    }
  return y_BTHd;
}

Tensor FullState::mask(int64_t queries, int64_t first, int64_t from, int64_t b, int64_t sequences) const {
  const int64_t end = first + queries;
  const auto options = torch::TensorOptions().dtype(torch::kLong).device(k_BKLd_.device());
  const Tensor query_T1 = torch::arange(first, end, options).unsqueeze(1);
  const Tensor key_L = torch::arange(from, end, options);
  Tensor seen_TL = key_L <= query_T1;
  if (shape_.sliding_window > 0) seen_TL = seen_TL & (key_L > query_T1 - shape_.sliding_window);
  if (!present_BL_.defined()) return seen_TL;
  // A query at padding sees itself, so that its softmax has something to sum over.
  const Tensor present_B1L = present_BL_.narrow(0, b, sequences).narrow(1, from, end - from).unsqueeze(1);
  const Tensor seen_BTL = (seen_TL & present_B1L) | (key_L == query_T1);
  return seen_BTL.repeat_interleave(sequences > 1 ? shape_.kv_heads : 1, 0).unsqueeze(1);
}

Tensor FullState::fused(const Tensor& q_BTHd, int64_t first, int64_t b) const {
  const int64_t batch = q_BTHd.size(0), t = q_BTHd.size(1), d = shape_.head_dim, kv = shape_.kv_heads;
  const int64_t group = shape_.heads / kv, end = first + t;
  const int64_t from =
      shape_.sliding_window > 0 ? std::max<int64_t>(0, first - shape_.sliding_window + 1) : 0;
  const bool plain =
      !present_BL_.defined() && from == 0 && (shape_.sliding_window == 0 || end <= shape_.sliding_window);
  const bool causal = plain && first == 0, behind = plain && t > 1 && !causal && is_flash(q_BTHd);
  std::optional<Tensor> seen;
  if (!causal && !behind && !(plain && t == 1)) seen = mask(t, first, from, b, batch);
  // Query heads of a group see one key-value head through a stride of 0: nothing is repeated in memory.
  const auto spread = [&](const Tensor& x_BKLd) {
    const Tensor x = x_BKLd.narrow(0, b, batch).narrow(2, from, end - from).to(q_BTHd.scalar_type());
    return x.unsqueeze(2).expand({batch, kv, group, end - from, d}).flatten(0, 1);
  };
  const Tensor q = q_BTHd.transpose(1, 2).unflatten(1, {kv, group}).flatten(0, 1);
  const Tensor k = spread(k_BKLd_), v = spread(v_BKLd_);
  if (behind) note_sdpa("flash", q.scalar_type());
  const Tensor y = behind
                       ? std::get<0>(at::_scaled_dot_product_flash_attention(q, k, v, 0.0, /*causal=*/true))
                       : sdpa(q, k, v, {.mask = seen, .causal = causal && t > 1});
  return y.unflatten(0, {batch, kv}).flatten(1, 2).transpose(1, 2);
}

}  // namespace attnlab
