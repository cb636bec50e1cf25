// The last queries whose attention a policy observes. The states of these tokens stay; it chooses among those
// before.
#pragma once

#include <cstdint>
#include <string_view>

#include "cache/policy.h"

namespace attnlab {

/// How many queries: `asked`, or where that is 0 as many as are usual, but at most half of the states that
/// are not protected, which leaves the other half to what the score chooses, as H2O does. Throws UserError,
/// which calls the policy by its name, where so many and the protected ones leave no state to choose from.
int64_t observed_window(std::string_view policy, int64_t asked, int64_t usual, const PolicyShape& shape);

/// Throws UserError where the `recent` states that a policy never drops and the protected ones leave none to
/// choose from: it would be a window.
void require_choice(std::string_view policy, int64_t recent, const PolicyShape& shape);

}  // namespace attnlab
