#include "cache/policies/key_redundancy.h"

#include <algorithm>
#include <cmath>

namespace attnlab {

void KeyRedundancy::resize(int64_t slots) {
  if (slots == slots_) return;
  forget([&](const State& state) { return state.slot >= slots; });
  std::vector<float> distances(static_cast<size_t>(slots * stride(slots)));
  const int64_t both = std::min(slots, slots_);
  for (int64_t s = 0; s < both; ++s) std::copy_n(row(s), both, distances.data() + s * stride(slots));
  distances_ = std::move(distances);
  slots_ = slots;
  sums_.resize(slots);
  alike_last_.resize(slots, -1);
  alike_distance_.resize(slots);
  redundancy_.resize(slots);
}

void KeyRedundancy::set_alike(int64_t slot, int64_t last, float distance) {
  alike_last_[slot] = last;
  alike_distance_[slot] = distance;
}

void KeyRedundancy::arrive(int64_t slot, int64_t order, std::span<const double> cosines) {
  float* const own = row(slot);
  double sum = 0;
  int64_t alike = -1;
  for (const State& state : by_age_) {
    const auto distance = static_cast<float>(1.0 - cosines[state.slot]);
    own[state.slot] = row(state.slot)[slot] = distance;
    sum += distance;
    sums_[state.slot] += distance;
    if (distance < alike_) set_alike(state.slot, slot, distance), alike = state.slot;
  }
  sums_[slot] = sum;
  set_alike(slot, alike, alike < 0 ? 0.0f : own[alike]);
  by_age_.push_back({slot, order});
}

template <class Gone>
void KeyRedundancy::forget(const Gone& gone) {
  forgotten_.clear();
  std::erase_if(by_age_, [&](const State& state) {
    if (!gone(state)) return false;
    forgotten_.push_back(state);
    return true;
  });
  for (const State& old : forgotten_) {
    const float* const distances = row(old.slot);
    for (const State& state : by_age_) sums_[state.slot] -= distances[state.slot];
  }
  const auto is_forgotten = [&](int64_t slot) {
    return std::ranges::any_of(forgotten_, [&](const State& old) { return old.slot == slot; });
  };
  for (const State& state : by_age_) {
    const int64_t last = alike_last_[state.slot];
    if (last < 0 || !is_forgotten(last)) continue;
    const float* const distances = row(state.slot);
    const auto next = std::find_if(by_age_.rbegin(), by_age_.rend(), [&](const State& other) {
      return other.slot != state.slot && distances[other.slot] < alike_;
    });
    if (next == by_age_.rend())
      set_alike(state.slot, -1, 0.0f);
    else
      set_alike(state.slot, next->slot, distances[next->slot]);
  }
}

void KeyRedundancy::keep(std::span<const int64_t> order) {
  forget([&](const State& state) {
    return state.slot >= std::ssize(order) || order[state.slot] != state.order;
  });
}

void KeyRedundancy::move(int64_t from, int64_t to) {
  forget([&](const State& state) { return state.slot == to; });  // it has gone, and keep() was not told yet
  for (State& state : by_age_) {
    row(to)[state.slot] = row(from)[state.slot];
    row(state.slot)[to] = row(state.slot)[from];
    if (alike_last_[state.slot] == from) alike_last_[state.slot] = to;
    if (state.slot == from) state.slot = to;
  }
  sums_[to] = sums_[from];
  set_alike(to, alike_last_[from], alike_distance_[from]);
}

std::span<const double> KeyRedundancy::redundancy() {
  if (by_age_.empty()) return redundancy_;
  spared_.assign(slots_, 0.0);
  const int64_t oldest = by_age_.front().slot;
  const float* const of_oldest = row(oldest);
  for (const auto& [slot, order] : by_age_) {
    const int64_t alike = alike_last_[slot];
    if (alike >= 0)
      spared_[alike] += 1.0 - alike_distance_[slot];
    else if (slot != oldest)
      spared_[oldest] += 1.0 - of_oldest[slot];
  }
  const auto n = static_cast<double>(by_age_.size());
  double total = 0;
  for (const auto& [slot, order] : by_age_)
    total += redundancy_[slot] = std::exp((n - 1 - sums_[slot] - spared_[slot]) / n);
  for (const auto& [slot, order] : by_age_) redundancy_[slot] /= total;
  return redundancy_;
}

}  // namespace attnlab
