#include "cache/lane.h"

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "kernels/simd/simd.h"

namespace attnlab {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

}  // namespace

Lane::Lane(LaneOptions options, PolicyNeeds needs, std::unique_ptr<Policy> policy)
    : options_(std::move(options)), needs_(needs), policy_(std::move(policy)) {}

void Lane::open(int64_t slots) {
  const int64_t before = this->slots();
  if (slots <= before) return;
  order_.resize(slots, -1);
  column_of_.resize(slots, -1);
  bar_.resize(slots, inf);
  weights_.resize(slots, 0.0);
  if (needs_.figure != SlotFigure::none) figures_.resize(slots, 0.0);
  bias_.resize(slots, -std::numeric_limits<float>::infinity());
  if (needs_.key_norms) norms_.resize(slots, 0.0);
  if (needs_.surprisal) surprisal_.resize(slots, 0.0);
  free_.reserve(slots);
  dropped_.reserve(slots);
  for (int64_t s = before; s < slots; ++s) free_.push_back(s);
  std::sort(free_.begin(), free_.end(), std::greater<>());
}

void Lane::begin(int64_t tokens, DropAt drop, int64_t piece) {
  left_ = tokens;
  drop_at_ = drop;
  piece_ = piece;
}

int64_t Lane::take() {
  ensure(!free_.empty(), "a free slot among {}", slots());
  const int64_t slot = free_.back();
  free_.pop_back();
  return slot;
}

bool Lane::is_protected(int64_t order, int64_t id) const {
  return order < options_.protect_first ||
         std::binary_search(options_.protected_ids.begin(), options_.protected_ids.end(), id);
}

void Lane::arrive(int64_t slot, const Arrival& token) {
  const int64_t leaves = options_.sliding_window > 0 ? time_ - options_.sliding_window : -1;
  if (leaves >= 0) {
    const auto found = std::find(order_.begin(), order_.end(), leaves);
    if (found != order_.end()) drop(found - order_.begin(), column_);
  }
  order_[slot] = time_++;
  column_of_[slot] = column_ = token.column;
  if (needs_.key_norms) norms_[slot] = token.key_norm;
  if (needs_.surprisal) surprisal_[slot] = token.surprisal;
  bar_[slot] = is_protected(order_[slot], token.id) ? inf : 0.0;
  bias_[slot] = 0.0f;
  newest_ = slot;
  ++live_;
  if (!options_.record_expiry) return;
  expiry_.resize(token.column + 1, padding);
  expiry_[token.column] = kept;
}

int64_t Lane::until_drop() const {
  switch (drop_at_) {
    case DropAt::every_token:
      return std::min(left_, piece_ - 1 - (time_ - 1) % piece_);
    case DropAt::end_of_call:
      return left_;
    default:
      return std::numeric_limits<int64_t>::max();
  }
}

std::span<const int64_t> Lane::decide(std::span<const float> weights, std::span<const float> figures) {
  simd().unscale(static_cast<int64_t>(weights.size()), weights.data(), weights_.data());
  simd().unscale(static_cast<int64_t>(figures.size()), figures.data(), figures_.data());
  return decide_by();
}

std::span<const int64_t> Lane::decide(std::span<const double> weights, std::span<const double> figures) {
  std::copy(weights.begin(), weights.end(), weights_.begin());
  std::copy(figures.begin(), figures.end(), figures_.begin());
  return decide_by();
}

std::span<const int64_t> Lane::decide_by() {
  --left_;
  const StepView view{.time = time_ - 1,
                      .newest = newest_,
                      .live = live_,
                      .remaining = until_drop(),
                      .order = order_,
                      .weights = weights_,
                      .figures = figures_,
                      .key_norms = norms_,
                      .surprisal = surprisal_};
  const std::span<const double> scores = policy_->scores(view);
  const size_t first = dropped_.size();
  if (view.remaining > 0) return {};
  while (live_ > options_.size) {
    const int64_t slot = simd().lowest(slots(), scores.data(), bar_.data(), order_.data());
    if (slot < 0)
      user_error(
          "the text has more protected tokens than the {} states that a layer keeps: raise the cache's "
          "size or protect less",
          options_.size);
    drop(slot, column_);
  }
  return std::span<const int64_t>(dropped_).subspan(first);
}

void Lane::drop_oldest() {
  int64_t oldest = -1;
  for (int64_t s = 0; s < slots(); ++s)
    if (order_[s] >= 0 && (oldest < 0 || order_[s] < order_[oldest])) oldest = s;
  ensure(oldest >= 0, "a state to drop");
  drop(oldest, column_);
}

void Lane::drop(int64_t slot, int64_t last_column) {
  dropped_.push_back(slot);
  if (options_.record_expiry) expiry_[column_of_[slot]] = last_column;
  order_[slot] = -1;
  bar_[slot] = inf;
  bias_[slot] = -std::numeric_limits<float>::infinity();
  --live_;
}

void Lane::recycle(int64_t count) {
  if (count == 0) return;
  free_.insert(free_.end(), dropped_.begin(), dropped_.begin() + count);
  dropped_.erase(dropped_.begin(), dropped_.begin() + count);
  std::sort(free_.begin(), free_.end(), std::greater<>());
}

int64_t Lane::extent() const {
  int64_t end = slots();
  // free_ is descending: a run of free slots at the end of the range is a run at its beginning.
  for (const int64_t s : free_) {
    if (s != end - 1) break;
    --end;
  }
  return end;
}

void Lane::compact(int64_t slots, const std::function<void(int64_t, int64_t)>& moved) {
  recycle();
  for (int64_t from = slots; from < this->slots(); ++from) {
    if (order_[from] < 0) continue;
    const int64_t to = take();
    ensure(to < slots, "room for {} states in {} slots", live_, slots);
    order_[to] = order_[from];
    column_of_[to] = column_of_[from];
    bar_[to] = bar_[from];
    bias_[to] = bias_[from];
    if (needs_.key_norms) norms_[to] = norms_[from];
    if (needs_.surprisal) surprisal_[to] = surprisal_[from];
    if (newest_ == from) newest_ = to;
    policy_->move(from, to);
    moved(from, to);
  }
  std::erase_if(free_, [&](int64_t s) { return s >= slots; });
  if (slots >= this->slots()) return;
  policy_->resize(slots);
  order_.resize(slots);
  column_of_.resize(slots);
  bar_.resize(slots);
  weights_.resize(slots);
  if (needs_.figure != SlotFigure::none) figures_.resize(slots);
  bias_.resize(slots);
  if (needs_.key_norms) norms_.resize(slots);
  if (needs_.surprisal) surprisal_.resize(slots);
}

}  // namespace attnlab
