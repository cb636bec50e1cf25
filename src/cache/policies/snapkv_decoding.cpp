#include "cache/policies/snapkv_decoding.h"

#include <algorithm>
#include <limits>

#include "cache/policies/neighbour_pooling.h"
#include "cache/policies/observed_window.h"

namespace attnlab {
namespace {

/// Sums of what the last `window` queries gave each slot, without subtracting, which would leave of two large
/// numbers a blur: rows of the window's finished block of queries hold the sums from there to that block's
/// end, and the block that is being filled has a running sum. A query costs three additions a slot on
/// average, whatever the window.
class WindowSums {
 public:
  explicit WindowSums(int64_t window) : rows_(window) {}

  /// Weights of the query at `time`, one behind the other from any time on. What was in slot `newest` is
  /// forgotten first.
  void add(int64_t time, int64_t newest, std::span<const double> weights) {
    resize(weights.size());
    for_all([newest](std::vector<double>& row) { row[newest] = 0.0; });
    const int64_t at = time % std::ssize(rows_);
    if (at == 0) finish_block();
    std::copy(weights.begin(), weights.end(), rows_[at].begin());
    for (std::size_t s = 0; s < weights.size(); ++s) running_[s] += weights[s];
    before_ = at + 1;
  }
  double operator()(int64_t slot) const {
    return running_[slot] + (before_ < std::ssize(rows_) ? rows_[before_][slot] : 0.0);
  }
  void move(int64_t from, int64_t to) {
    if (from < std::ssize(running_)) for_all([from, to](std::vector<double>& row) { row[to] = row[from]; });
  }
  void resize(std::size_t slots) {
    if (running_.size() != slots) for_all([slots](std::vector<double>& row) { row.resize(slots, 0.0); });
  }
  int64_t bytes() const { return std::ssize(running_) * (std::ssize(rows_) + 1) * sizeof(double); }

 private:
  template <class Change>
  void for_all(const Change& change) {
    for (std::vector<double>& row : rows_) change(row);
    change(running_);
  }
  void finish_block() {
    for (int64_t i = std::ssize(rows_) - 2; i > 0; --i)
      for (std::size_t s = 0; s < running_.size(); ++s) rows_[i][s] += rows_[i + 1][s];
    std::ranges::fill(running_, 0.0);
  }

  std::vector<std::vector<double>> rows_;  ///< by time mod window
  std::vector<double> running_;
  int64_t before_ = 0;  ///< the row of sums of the window's queries before the running ones
};

class SnapKvDecoding final : public CloneablePolicy<SnapKvDecoding> {
 public:
  SnapKvDecoding(int64_t window, int64_t pool) : window_(window), pool_(pool), seen_(window) {}

  std::span<const double> scores(const StepView& view) override {
    seen_.add(view.time, view.newest, view.weights);
    by_age_.push_back({view.newest, view.time});
    if (view.remaining > 0) return view.weights;  // nothing is dropped now
    pool_sums(view);
    return scores_;
  }

  void move(int64_t from, int64_t to) override {
    seen_.move(from, to);
    for (State& state : by_age_)
      if (state.slot == from) state.slot = to;
  }
  void resize(int64_t slots) override { seen_.resize(static_cast<std::size_t>(slots)); }
  int64_t bytes() const override { return seen_.bytes(); }

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
    sums_.clear();
    for (int64_t i = 0; i < n; ++i) sums_.push_back(seen_(by_age_[i].slot));
    for (int64_t i = 0; i < n; ++i)
      scores_[by_age_[i].slot] =
          pooled(NeighbourPooling::average, pool_, i, n, [&](int64_t j) { return sums_[j]; });
  }

  int64_t window_, pool_;
  WindowSums seen_;
  std::vector<State> by_age_;          ///< some may have gone since
  std::vector<double> sums_, scores_;  ///< by age; by slot
};

}  // namespace

std::unique_ptr<Policy> SnapKvDecodingOptions::build(const PolicyShape& shape) const {
  return std::make_unique<SnapKvDecoding>(observed_window("snapkv_decoding", window, 32, shape), pool);
}

}  // namespace attnlab
