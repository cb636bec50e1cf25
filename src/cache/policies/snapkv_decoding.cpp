#include "cache/policies/snapkv_decoding.h"

#include <algorithm>
#include <limits>

#include "cache/policies/neighbour_pooling.h"
#include "cache/policies/observed_window.h"

namespace attnlab {
namespace {

class SnapKvDecoding final : public CloneablePolicy<SnapKvDecoding> {
 public:
  SnapKvDecoding(int64_t window, int64_t pool) : window_(window), pool_(pool), seen_(window) {}

  std::span<const double> scores(const StepView& view) override {
    const size_t n = view.order.size();
    for (std::vector<double>& weights : seen_) {
      weights.resize(n, 0.0);
      weights[view.newest] = 0.0;  // of whatever had the slot before
    }
    std::copy(view.weights.begin(), view.weights.end(), seen_[view.time % window_].begin());
    by_age_.push_back({view.newest, view.time});
    if (view.remaining > 0) return view.weights;  // nothing is dropped now
    // Summed anew, not kept up to date: what is left of two large numbers would blur small ones.
    sums_.assign(n, 0.0);
    for (int64_t t = view.time + 1; t <= view.time + window_; ++t)  // the oldest of the window first
      for (size_t s = 0; s < n; ++s) sums_[s] += seen_[t % window_][s];
    pool_sums(view);
    return scores_;
  }

  void move(int64_t from, int64_t to) override {
    for (std::vector<double>& weights : seen_)
      if (from < static_cast<int64_t>(weights.size())) weights[to] = weights[from];
    for (State& state : by_age_)
      if (state.slot == from) state.slot = to;
  }

  int64_t bytes() const override {
    return window_ * static_cast<int64_t>(seen_.front().size() * sizeof(double));
  }

 private:
  struct State {
    int64_t slot, order;
  };

  /// Neighbours are the states before the window, in the order of their tokens.
  void pool_sums(const StepView& view) {
    std::erase_if(by_age_, [&](const State& state) {  // slots may have been given up since
      return state.slot >= std::ssize(view.order) || view.order[state.slot] != state.order;
    });
    scores_.assign(view.order.size(), std::numeric_limits<double>::infinity());
    const auto window = std::ranges::upper_bound(by_age_, view.time - window_, {}, &State::order);
    const int64_t n = window - by_age_.begin();
    for (int64_t i = 0; i < n; ++i)
      scores_[by_age_[i].slot] =
          pooled(NeighbourPooling::average, pool_, i, n, [&](int64_t j) { return sums_[by_age_[j].slot]; });
  }

  int64_t window_, pool_;
  std::vector<std::vector<double>> seen_;  ///< weights by slot, of each of the last queries
  std::vector<State> by_age_;              ///< some may have gone since
  std::vector<double> sums_, scores_;
};

}  // namespace

std::unique_ptr<Policy> SnapKvDecodingOptions::build(const PolicyShape& shape) const {
  return std::make_unique<SnapKvDecoding>(observed_window("snapkv_decoding", window, 32, shape), pool);
}

}  // namespace attnlab
