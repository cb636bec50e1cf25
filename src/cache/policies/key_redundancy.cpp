#include "cache/policies/key_redundancy.h"

#include <algorithm>
#include <array>
#include <utility>

namespace attnlab {
namespace {

constexpr auto kInverseFactorials = [] {
  std::array<double, 18> all{};
  double factorial = 1;
  for (size_t n = 0; n < all.size(); factorial *= static_cast<double>(++n)) all[n] = 1.0 / factorial;
  return all;
}();

/// e^x of a mean of cosines, |x| ≤ 1, to a few units of the last place: Taylor's sum to x^17, its even and
/// its odd powers apart, without a branch or a call, so that a loop over many becomes vector instructions.
double exp_of_mean(double x) {
  const double square = x * x;
  double even = kInverseFactorials[16], odd = kInverseFactorials[17];
  for (int n = 14; n >= 0; n -= 2) {
    even = kInverseFactorials[n] + even * square;
    odd = kInverseFactorials[n + 1] + odd * square;
  }
  return even + x * odd;
}

}  // namespace

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
    // No branch hangs on it: which keys are alike follows no pattern.
    const bool is_alike = distance < alike_;
    alike_last_[state.slot] = is_alike ? slot : alike_last_[state.slot];
    alike_distance_[state.slot] = is_alike ? distance : alike_distance_[state.slot];
    alike = is_alike ? state.slot : alike;
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
  // Many in a row spare the same state: their sum is written once.
  int64_t whose = oldest;
  double sum = 0;
  for (const auto& [slot, order] : by_age_) {
    const int64_t alike = alike_last_[slot];
    const int64_t spares = alike >= 0 ? alike : oldest;
    if (spares != whose) spared_[whose] += std::exchange(sum, 0.0);
    whose = spares;
    if (alike >= 0)
      sum += 1.0 - alike_distance_[slot];
    else if (slot != oldest)
      sum += 1.0 - of_oldest[slot];
  }
  spared_[whose] += sum;
  const auto n = static_cast<double>(by_age_.size());
  double total = 0;
  means_.resize(by_age_.size());
  double* each_mean = means_.data();
  for (const auto& [slot, order] : by_age_) *each_mean++ = (n - 1 - sums_[slot] - spared_[slot]) / n;
  for (double& mean : means_) mean = exp_of_mean(mean);
  for (const double each : means_) total += each;
  const double share = 1.0 / total;
  for (size_t i = 0; i < by_age_.size(); ++i) redundancy_[by_age_[i].slot] = means_[i] * share;
  return redundancy_;
}

}  // namespace attnlab
