#include "cache/policies/tova.h"

namespace attnlab {
namespace {

class Tova final : public CloneablePolicy<Tova> {
 public:
  std::span<const double> scores(const StepView& view) override { return view.weights; }
};

}  // namespace

std::unique_ptr<Policy> TovaOptions::build(const PolicyShape&) const { return std::make_unique<Tova>(); }

}  // namespace attnlab
