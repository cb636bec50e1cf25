#include "cache/policies/h2o.h"

#include <limits>

#include "cache/policies/observed_window.h"

namespace attnlab {
namespace {

class H2o final : public CloneablePolicy<H2o> {
 public:
  explicit H2o(int64_t recent) : recent_(recent) {}

  std::span<const double> scores(const StepView& view) override {
    const size_t n = view.order.size();
    sums_.resize(n, 0.0);
    scores_.resize(n);
    sums_[view.newest] = 0.0;
    const int64_t protected_from = view.time - recent_ + 1;
    for (size_t s = 0; s < n; ++s) {
      sums_[s] += view.weights[s];
      scores_[s] = view.order[s] >= protected_from ? std::numeric_limits<double>::infinity() : sums_[s];
    }
    return scores_;
  }

  void move(int64_t from, int64_t to) override { sums_[to] = sums_[from]; }

 private:
  int64_t recent_;
  std::vector<double> sums_, scores_;
};

}  // namespace

std::unique_ptr<Policy> H2oOptions::build(const PolicyShape& shape) const {
  const int64_t recent = shape.size / 2;
  require_choice("h2o", recent, shape);
  return std::make_unique<H2o>(recent);
}

}  // namespace attnlab
