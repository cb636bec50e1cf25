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
      : lambda_(options.lambda),
        window_(window),
        row_((window + kAtOnce - 1) / kAtOnce * kAtOnce),
        pool_(options.pool),
        keys_(options.threshold) {}

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
    std::copy_n(seen_.begin() + from * row_, row_, seen_.begin() + to * row_);
  }
  void resize(int64_t slots) override {
    keys_.resize(slots);
    seen_.resize(slots * row_);
  }
  int64_t bytes() const override {
    return keys_.bytes() + static_cast<int64_t>(seen_.size() * sizeof(double));
  }

 private:
  void observe(const StepView& view) {
    std::fill_n(seen_.begin() + view.newest * row_, row_, 0.0);
    const int64_t at = view.time % window_;
    for (const auto& [slot, order] : keys_.by_age()) seen_[slot * row_ + at] = view.weights[slot];
  }

  void weigh(std::span<const KeyRedundancy::State> before) {
    const int64_t n = std::ssize(before);
    importance_.assign(n + pool_ - 1, 0.0);
    for (int64_t first = 0; first < row_; first += kAtOnce) add_importance(before, first);
    pool_by_max(importance_, pool_);
    const std::span<const double> redundancy = keys_.redundancy();
    for (int64_t i = 0; i < n; ++i)
      scores_[before[i].slot] = lambda_ * importance_[i] - (1.0 - lambda_) * redundancy[before[i].slot];
  }

  /// That of the queries from `first` on, whose sums the compiler keeps in registers.
  void add_importance(std::span<const KeyRedundancy::State> before, int64_t first) {
    double scales[kAtOnce] = {};
    for (const auto& [slot, order] : before)
      for (int64_t i = 0; i < kAtOnce; ++i) scales[i] += seen_[slot * row_ + first + i];
    for (double& scale : scales) scale = scale > 0 ? 1.0 / (scale * static_cast<double>(window_)) : 0.0;
    double* importance = importance_.data() + pool_ / 2;
    for (const auto& [slot, order] : before) {
      double parts[kAtOnce];
      for (int64_t i = 0; i < kAtOnce; ++i) parts[i] = seen_[slot * row_ + first + i] * scales[i];
      for (int64_t half = kAtOnce / 2; half > 0; half /= 2)
        for (int64_t i = 0; i < half; ++i) parts[i] += parts[i + half];
      *importance++ += parts[0];
    }
  }

  static constexpr int64_t kAtOnce = 8;  ///< queries

  double lambda_;
  int64_t window_, row_, pool_;
  KeyRedundancy keys_;
  std::vector<double> seen_;  ///< [slots, row]: weights that the last `window` queries gave, and zeros
  std::vector<double> importance_, scores_;  ///< by age; by slot
};

}  // namespace

std::unique_ptr<Policy> RkvOptions::build(const PolicyShape& shape) const {
  return std::make_unique<Rkv>(*this, observed_window("rkv", window, 8, shape));
}

}  // namespace attnlab
