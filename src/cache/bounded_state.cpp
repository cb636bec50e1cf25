#include "cache/bounded_state.h"

#include <algorithm>
#include <limits>

#include "cache/stored_tensor.h"
#include "core/error.h"
#include "core/random.h"
#include "kernels/bounded_attention.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

/// Room at the beginning, which grows with the text: k may be larger than all that will ever be read.
constexpr int64_t first_slots = 64;

}  // namespace

BoundedState::BoundedState(BoundedOptions options, const StateShape& shape, const StateRun& run)
    : options_(std::move(options)),
      needs_(options_.policy->needs()),
      shape_(shape),
      apart_(options_.policy->heads == Heads::head_wise && shape.kv_heads > 1) {
  ensure(shape.heads % shape.kv_heads == 0, "query heads in equal groups, not {} over {}", shape.heads,
         shape.kv_heads);
  const int64_t slots = std::min(options_.lane.size + 1, first_slots);
  k_BKSd_ = torch::zeros({run.batch, shape.kv_heads, slots, shape.head_dim},
                         torch::TensorOptions().dtype(run.kept()).device(run.device));
  v_BKSd_ = torch::zeros_like(k_BKSd_);
  composed_ = !run.device.is_cpu() || run.dtype != torch::kFloat || !StoredTensor::knows(k_BKSd_) ||
              needs_.dropped != Dropped::forgotten;
  afterlife_ = options_.policy->afterlife();
  for (int64_t b = 0; b < run.batch; ++b)
    for (int64_t g = 0; g < groups(); ++g) {
      const uint64_t seed = derive_seed(options_.seed, "heads", static_cast<uint64_t>(g));
      lanes_.emplace_back(
          options_.lane, needs_,
          options_.policy->build(
              {.size = options_.lane.size, .protect_first = options_.lane.protect_first, .seed = seed}));
      lanes_.back().open(capacity());
    }
  if (afterlife_) afterlife_->grow(static_cast<int64_t>(lanes_.size()), capacity());
}

std::unique_ptr<LayerState> BoundedState::copy(const Tensor& rows) const {
  auto copy = std::make_unique<BoundedState>(*this);  // shares keys and values with this one
  copy->reorder(rows);                                // which makes tensors of its own
  return copy;
}

int64_t BoundedState::bytes() const {
  int64_t bytes = static_cast<int64_t>(k_BKSd_.nbytes() + v_BKSd_.nbytes());
  for (const Lane& lane : lanes_) bytes += lane.bytes();
  return bytes + (afterlife_ ? afterlife_->bytes() : 0);
}

Tensor BoundedState::lane_part(const Tensor& x_BKSd, int64_t lane) const {
  const int64_t heads = lane_kv_heads();
  return x_BKSd[lane / groups()].narrow(0, lane % groups() * heads, heads);
}

void BoundedState::reorder(const Tensor& rows) {
  const torch::NoGradGuard no_grad;
  const Tensor on_device = rows.to(k_BKSd_.device());
  k_BKSd_ = k_BKSd_.index_select(0, on_device);
  v_BKSd_ = v_BKSd_.index_select(0, on_device);
  std::vector<Lane> copies;
  std::vector<int64_t> sources;
  for (int64_t i = 0; i < rows.size(0); ++i)
    for (int64_t g = 0; g < groups(); ++g) {
      sources.push_back(rows[i].item<int64_t>() * groups() + g);
      copies.push_back(lanes_[sources.back()]);
    }
  lanes_ = std::move(copies);
  if (afterlife_) afterlife_->reorder(sources);
}

Tensor BoundedState::expiry() const {
  if (!options_.lane.record_expiry) return {};
  const int64_t batch = static_cast<int64_t>(lanes_.size()) / groups();
  Tensor expiry = torch::full({batch, groups(), columns_}, Lane::padding, torch::kLong);
  int64_t* out = expiry.mutable_data_ptr<int64_t>();
  for (const Lane& lane : lanes_) {
    std::copy(lane.expiry().begin(), lane.expiry().end(), out);
    out += columns_;
  }
  return expiry;
}

DropAt BoundedState::drop_at() const {
  if (!prompt_read_)
    return prompt_goes_on_ && options_.prompt == DropAt::end_of_call ? DropAt::never : options_.prompt;
  return needs_.prefill_only ? DropAt::never : DropAt::every_token;
}

int64_t BoundedState::slots_needed(const Lane& lane, int64_t tokens) const {
  return std::min(most_slots(), lane.live() + std::max<int64_t>(tokens, 1));
}

int64_t BoundedState::most_slots() const {
  if (drop_at() != DropAt::every_token) return std::numeric_limits<int64_t>::max();
  return options_.lane.size + (prompt_read_ ? 1 : options_.piece);
}

void BoundedState::make_room(const TokenCall& call) {
  int64_t slots = capacity();
  for (int64_t b = 0; b < call.batch(); ++b)
    slots = std::max(slots, slots_needed(lane(b, 0), static_cast<int64_t>(call.columns[b].size())));
  // Room is doubled, not added token by token, but for a prompt behind which most of it is given up.
  if (slots > capacity() && drop_at() != DropAt::end_of_call)
    slots = std::max(slots, std::min(capacity() * 2, most_slots()));
  grow(slots);
}

void BoundedState::grow(int64_t slots) {
  const int64_t before = capacity();
  if (slots > before) {
    const auto larger = [&](const Tensor& x_BKSd) {
      Tensor y = torch::zeros({x_BKSd.size(0), x_BKSd.size(1), slots, x_BKSd.size(3)}, x_BKSd.options());
      y.narrow(2, 0, before).copy_(x_BKSd);
      return y;
    };
    k_BKSd_ = larger(k_BKSd_);
    v_BKSd_ = larger(v_BKSd_);
  }
  for (Lane& lane : lanes_) lane.open(capacity());
  if (afterlife_) afterlife_->grow(static_cast<int64_t>(lanes_.size()), capacity());
}

void BoundedState::shrink() {
  const int64_t slots = options_.lane.size + 1;
  if (capacity() <= slots || prompt_goes_on_) return;
  // A text that ended within a piece, before others of its batch, has not dropped what is above its size.
  if (std::ranges::any_of(lanes_, [&](const Lane& lane) { return lane.live() > slots; })) return;
  for (int64_t i = 0; i < static_cast<int64_t>(lanes_.size()); ++i)
    lanes_[i].compact(slots, [&](int64_t from, int64_t to) {
      for (const Tensor* x : {&k_BKSd_, &v_BKSd_}) {
        const Tensor part_KSd = lane_part(*x, i);
        part_KSd.select(1, to).copy_(part_KSd.select(1, from));
      }
      if (afterlife_) afterlife_->move(i, from, to);
    });
  k_BKSd_ = k_BKSd_.narrow(2, 0, slots).clone(torch::MemoryFormat::Contiguous);
  v_BKSd_ = v_BKSd_.narrow(2, 0, slots).clone(torch::MemoryFormat::Contiguous);
}

TokenCall BoundedState::begin(const NewTokens& tokens, const Rope& rope) {
  ensure(tokens.q_BTHd.size(0) == k_BKSd_.size(0), "{} sequences, not {}", k_BKSd_.size(0),
         tokens.q_BTHd.size(0));
  TokenCall call(tokens, options_.compress_gaps ? nullptr : &rope, k_BKSd_.scalar_type(), columns_, needs_,
                 !options_.lane.protected_ids.empty());
  for (int64_t b = 0; b < call.batch(); ++b)
    for (int64_t g = 0; g < groups(); ++g) {
      const auto brought = static_cast<int64_t>(call.columns[b].size());
      lane(b, g).begin(prompt_goes_on_ ? Lane::more_to_come : brought, drop_at(),
                       prompt_read_ ? 1 : options_.piece);
    }
  return call;
}

Tensor BoundedState::attend(const NewTokens& tokens, const Rope& rope) {
  const torch::NoGradGuard no_grad;
  prompt_goes_on_ = tokens.prompt_goes_on && !prompt_read_;
  const TokenCall call = begin(tokens, rope);
  Tensor y_BTHd;
  if (composed_)
    y_BTHd = composed_steps(call, rope);
  else if (options_.compress_gaps || call.length() < BlockSpace::fewest_tokens)
    y_BTHd = native_steps(call, rope);
  else
    y_BTHd = native_blocks(call);
  columns_ += call.length();
  prompt_read_ = !prompt_goes_on_;
  shrink();
  return y_BTHd;
}

}  // namespace attnlab
