// Types and bounds in words, the same in messages, explanations and the reference page.
#pragma once

#include <string>

#include "core/options.h"

namespace attnlab {

/// "between 1 and 16", "at least 1", "at most 16"; "" where there are no bounds. `whole`: bounds of a whole
/// number.
std::string bounds_in_words(Range range, bool whole);

}  // namespace attnlab
