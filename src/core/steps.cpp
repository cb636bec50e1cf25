#include "core/steps.h"

#include <utility>

namespace attnlab {
namespace {

std::function<void(int64_t)>& observer() {
  static std::function<void(int64_t)> current;
  return current;
}

}  // namespace

void observe_steps(std::function<void(int64_t)> next) { observer() = std::move(next); }

void step_begins(int64_t step) {
  if (observer()) observer()(step);
}

}  // namespace attnlab
