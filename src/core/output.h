// Standard output: what a command prints there is its result, and counts as said only where it arrived.
#pragma once

#include <iosfwd>
#include <string_view>

namespace attnlab {

/// Writes `text` to standard output. Throws RunError "cannot write standard output: No space left on device"
/// where any of it is lost.
void print_output(std::string_view text);

/// Passes on what a stream holds back. Throws as print_output() does where any of what was written to it is
/// lost, so that a long answer ends with the first part that nobody gets.
void flush_output(std::ostream& out);

}  // namespace attnlab
