#include "cache/policies/observed_window.h"

#include <algorithm>

#include "core/error.h"

namespace attnlab {

int64_t observed_window(std::string_view policy, int64_t asked, int64_t usual, const PolicyShape& shape) {
  const int64_t unprotected = shape.size - shape.protect_first;
  if (asked == 0) return std::clamp<int64_t>(unprotected / 2, 1, usual);
  if (asked >= unprotected)
    user_error("{} keeps the {} states that it observes{}: a size of {} leaves no room for others", policy,
               asked, shape.protect_first > 0 ? fmt::format(", and the first {}", shape.protect_first) : "",
               shape.size);
  return asked;
}

}  // namespace attnlab
