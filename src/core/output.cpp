#include "core/output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ostream>

#include "core/error.h"

namespace attnlab {
namespace {

[[noreturn]] void refuse_output() {
  // A stream that failed before says no reason any more; what stdio still holds is refused for the same one.
  if (errno == 0) std::fflush(stdout);
  run_error("cannot write standard output{}{}", errno == 0 ? "" : ": ",
            errno == 0 ? "" : std::strerror(errno));
}

}  // namespace

void print_output(std::string_view text) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) refuse_output();
}

void flush_output(std::ostream& out) {
  errno = 0;
  if (!out.flush()) refuse_output();
}

}  // namespace attnlab
