#include "cache/policies/window.h"

namespace attnlab {
namespace {

class Window final : public CloneablePolicy<Window> {
 public:
  std::span<const double> scores(const StepView& view) override {
    ages_.assign(view.order.begin(), view.order.end());
    return ages_;
  }

 private:
  std::vector<double> ages_;
};

}  // namespace

std::unique_ptr<Policy> WindowOptions::build(const PolicyShape&) const { return std::make_unique<Window>(); }

}  // namespace attnlab
