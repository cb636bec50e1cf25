#include "cache/policies/knorm.h"

namespace attnlab {
namespace {

class Knorm final : public CloneablePolicy<Knorm> {
 public:
  std::span<const double> scores(const StepView& view) override {
    scores_.resize(view.key_norms.size());
    for (size_t s = 0; s < scores_.size(); ++s) scores_[s] = -view.key_norms[s];
    return scores_;
  }

 private:
  std::vector<double> scores_;
};

}  // namespace

std::unique_ptr<Policy> KnormOptions::build(const PolicyShape&) const { return std::make_unique<Knorm>(); }

}  // namespace attnlab
