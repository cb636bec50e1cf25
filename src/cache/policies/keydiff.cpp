#include "cache/policies/keydiff.h"

namespace attnlab {
namespace {

class KeyDiff final : public CloneablePolicy<KeyDiff> {
 public:
  std::span<const double> scores(const StepView& view) override {
    scores_.resize(view.figures.size());
    for (size_t s = 0; s < scores_.size(); ++s) scores_[s] = -view.figures[s];
    return scores_;
  }

 private:
  std::vector<double> scores_;
};

}  // namespace

std::unique_ptr<Policy> KeyDiffOptions::build(const PolicyShape&) const {
  return std::make_unique<KeyDiff>();
}

}  // namespace attnlab
