#include "cache/policies/random.h"

#include "core/random.h"

namespace attnlab {
namespace {

class RandomPolicy final : public CloneablePolicy<RandomPolicy> {
 public:
  explicit RandomPolicy(uint64_t seed) : seed_(seed) {}

  std::span<const double> scores(const StepView& view) override {
    const uint64_t step = Random(seed_ + static_cast<uint64_t>(view.time)).next();
    scores_.resize(view.order.size());
    for (size_t s = 0; s < scores_.size(); ++s)
      scores_[s] = Random(step ^ static_cast<uint64_t>(view.order[s])).uniform();
    return scores_;
  }

 private:
  uint64_t seed_;
  std::vector<double> scores_;
};

}  // namespace

std::unique_ptr<Policy> RandomOptions::build(const PolicyShape& shape) const {
  return std::make_unique<RandomPolicy>(shape.seed);
}

}  // namespace attnlab
