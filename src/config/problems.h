// What is wrong with a configuration: collected, told in one error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/tree.h"

namespace attnlab {

/// "file:line: key.path: sentence".
std::string problem_line(const Mark& mark, std::string_view path, std::string_view sentence);

/// Throws one UserError with all lines, each once, in order; does nothing when there are none.
void throw_if_any(const std::vector<std::string>& problems);

/// The candidate closest to `word` by edit distance (a swap of neighbours counts one), where it is close
/// enough to be meant; "" otherwise.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "; did you mean 'x'?", or what there is to choose from where nothing is close: "; choose from a, b".
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

/// "a, b, c".
std::string listed(const std::vector<std::string>& words);

}  // namespace attnlab
