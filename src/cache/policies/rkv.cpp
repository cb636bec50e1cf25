#include "cache/policies/rkv.h"

#include <algorithm>
#include <limits>

#include "cache/policies/key_redundancy.h"
#include "cache/policies/neighbour_pooling.h"
#include "cache/policies/observed_window.h"

namespace attnlab {
namespace {

class Rkv final : public CloneablePolicy<Rkv> {
 public:
  Rkv(const RkvOptions& options, int64_t window)
      : lambda_(options.lambda), window_(window), pool_(options.pool), keys_(options.threshold) {}

  std::span<const double> scores(const StepView& view) override {
    keys_.keep(view.order);  // before the newest: it may have the slot of what went last
    resize(std::ssize(view.order));
    keys_.arrive(view.newest, view.time, view.figures);
    observe(view);
    if (view.remaining > 0) return view.weights;  // nothing is dropped now
    scores_.assign(view.order.size(), std::numeric_limits<double>::infinity());
    const std::span<const KeyRedundancy::State> all = keys_.by_age();
    const auto window = std::ranges::upper_bound(all, view.time - window_, {}, &KeyRedundancy::State::order);
    weigh(all.first(window - all.begin()));
    return scores_;
  }

  void move(int64_t from, int64_t to) override {
    keys_.move(from, to);
    std::copy_n(seen_.begin() + from * window_, window_, seen_.begin() + to * window_);
  }
  void resize(int64_t slots) override {
    keys_.resize(slots);
    seen_.resize(slots * window_);
  }
  int64_t bytes() const override {
    return keys_.bytes() + static_cast<int64_t>(seen_.size() * sizeof(double));
  }

 private:
  void observe(const StepView& view) {
    std::fill_n(seen_.begin() + view.newest * window_, window_, 0.0);
    const int64_t at = view.time % window_;
    for (const auto& [slot, order] : keys_.by_age()) seen_[slot * window_ + at] = view.weights[slot];
  }

  void weigh(std::span<const KeyRedundancy::State> before) {
    totals_.assign(window_, 0.0);
    for (const auto& [slot, order] : before)
      for (int64_t i = 0; i < window_; ++i) totals_[i] += seen_[slot * window_ + i];
    for (double& total : totals_) total = total > 0 ? 1.0 / (total * static_cast<double>(window_)) : 0.0;
    importance_.clear();
    for (const auto& [slot, order] : before) {
      double sum = 0;
      for (int64_t i = 0; i < window_; ++i) sum += seen_[slot * window_ + i] * totals_[i];
      importance_.push_back(sum);
    }
    const std::span<const double> redundancy = keys_.redundancy();
    const int64_t n = std::ssize(before);
    for (int64_t i = 0; i < n; ++i) {
      const double importance =
          pooled(NeighbourPooling::max, pool_, i, n, [&](int64_t j) { return importance_[j]; });
      scores_[before[i].slot] = lambda_ * importance - (1.0 - lambda_) * redundancy[before[i].slot];
    }
  }

  double lambda_;
  int64_t window_, pool_;
  KeyRedundancy keys_;
  std::vector<double> seen_;                 ///< [slots, window]: weights that the last queries gave
  std::vector<double> totals_, importance_;  ///< by query: 1 / sum, then by age
  std::vector<double> scores_;
};

}  // namespace

std::unique_ptr<Policy> RkvOptions::build(const PolicyShape& shape) const {
  return std::make_unique<Rkv>(*this, observed_window("rkv", window, 8, shape));
}

}  // namespace attnlab
