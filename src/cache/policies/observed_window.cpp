#include "cache/policies/observed_window.h"

#include <algorithm>

#include "core/error.h"

namespace attnlab {

namespace {

/// `kept`: "the 8 states that it observes"
void require_room(std::string_view policy, int64_t count, const std::string& kept, const PolicyShape& shape) {
  if (count + shape.protect_first < shape.size) return;
  const std::string first =
      shape.protect_first > 0 ? fmt::format(", and the first {}", shape.protect_first) : "";
  user_error("{} keeps {}{}: a size of {} leaves no room for others", policy, kept, first, shape.size);
}

}  // namespace

int64_t observed_window(std::string_view policy, int64_t asked, int64_t usual, const PolicyShape& shape) {
  if (asked == 0) return std::clamp<int64_t>((shape.size - shape.protect_first) / 2, 1, usual);
  require_room(policy, asked, fmt::format("the {} states that it observes", asked), shape);
  return asked;
}

void require_choice(std::string_view policy, int64_t recent, const PolicyShape& shape) {
  require_room(policy, recent, fmt::format("its {} most recent states", recent), shape);
}

}  // namespace attnlab
