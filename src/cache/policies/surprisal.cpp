#include "cache/policies/surprisal.h"

#include <cmath>

namespace attnlab {
namespace {

class SurprisalWeighted final : public CloneablePolicy<SurprisalWeighted> {
 public:
  explicit SurprisalWeighted(double power) : power_(power) {}

  std::span<const double> scores(const StepView& view) override {
    factors_.resize(view.order.size());
    scores_.resize(view.order.size());
    factors_[view.newest] = std::pow(1.0 + view.surprisal[view.newest], power_);
    for (size_t s = 0; s < scores_.size(); ++s) scores_[s] = view.weights[s] * factors_[s];
    return scores_;
  }

  void move(int64_t from, int64_t to) override { factors_[to] = factors_[from]; }

 private:
  double power_;
  std::vector<double> factors_, scores_;
};

}  // namespace

std::unique_ptr<Policy> SurprisalOptions::build(const PolicyShape&) const {
  return std::make_unique<SurprisalWeighted>(power);
}

}  // namespace attnlab
