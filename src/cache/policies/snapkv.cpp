#include "cache/policies/snapkv.h"

#include <algorithm>
#include <limits>

#include "cache/policies/observed_window.h"

namespace attnlab {
namespace {

class SnapKv final : public CloneablePolicy<SnapKv> {
 public:
  SnapKv(int64_t window, int64_t pool, NeighbourPooling pooling)
      : window_(window), pool_(pool), pooling_(pooling) {}

  std::span<const double> scores(const StepView& view) override {
    if (view.remaining >= window_) return view.weights;  // nothing is dropped now, and nothing observed yet
    sums_.resize(view.order.size(), 0.0);
    sums_[view.newest] = 0.0;
    for (size_t s = 0; s < sums_.size(); ++s) sums_[s] += view.weights[s];
    if (view.remaining == 0) pool_sums(view);
    return scores_;
  }

  void move(int64_t from, int64_t to) override {
    if (from < static_cast<int64_t>(sums_.size())) sums_[to] = sums_[from];
  }

 private:
  /// Neighbours are the states before the window, in the order of their tokens.
  void pool_sums(const StepView& view) {
    scores_.assign(view.order.size(), std::numeric_limits<double>::infinity());
    std::vector<int64_t> slots;
    for (size_t s = 0; s < view.order.size(); ++s)
      if (view.order[s] >= 0 && view.order[s] <= view.time - window_)
        slots.push_back(static_cast<int64_t>(s));
    std::sort(slots.begin(), slots.end(),
              [&](int64_t a, int64_t b) { return view.order[a] < view.order[b]; });
    const int64_t n = static_cast<int64_t>(slots.size());
    for (int64_t i = 0; i < n; ++i)
      scores_[slots[i]] = pooled(pooling_, pool_, i, n, [&](int64_t j) { return sums_[slots[j]]; });
  }

  int64_t window_, pool_;
  NeighbourPooling pooling_;
  std::vector<double> sums_, scores_;
};

}  // namespace

std::unique_ptr<Policy> SnapKvOptions::build(const PolicyShape& shape) const {
  return std::make_unique<SnapKv>(observed_window("snapkv", window, window, shape), pool, pooling);
}

}  // namespace attnlab
