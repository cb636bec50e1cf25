// Errors of three kinds, told apart because they end a process differently (see run/exit.h).
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace attnlab {

/// The user's mistake, as one clear sentence that names file, line and key. Exit status 2; nothing is
/// written.
struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The run failed although the input was sound: disk full, unreadable file, a lost child. Exit status 1.
struct RunError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The loss or a gradient stopped being finite. Recorded as status `diverged`; exit status 1.
struct Diverged : RunError {
  using RunError::RunError;
};

/// The run needs more memory than there is. Recorded as status `out_of_memory`; exit status 1.
struct OutOfMemory : RunError {
  using RunError::RunError;
};

/// SIGINT or SIGTERM was honoured: everything is saved and the run can be resumed. Exit status 128 + signal.
struct Interrupted : std::runtime_error {
  explicit Interrupted(int signal_number)
      : std::runtime_error(fmt::format("interrupted by signal {}", signal_number)), signal(signal_number) {}
  int signal;
};

/// Throws UserError with a formatted sentence.
template <class... Args>
[[noreturn]] void user_error(fmt::format_string<Args...> sentence, Args&&... args) {
  throw UserError(fmt::format(sentence, std::forward<Args>(args)...));
}

/// Throws RunError with a formatted sentence.
template <class... Args>
[[noreturn]] void run_error(fmt::format_string<Args...> sentence, Args&&... args) {
  throw RunError(fmt::format(sentence, std::forward<Args>(args)...));
}

/// A broken invariant of the program itself: stops with what was expected.
template <class... Args>
void ensure(bool holds, fmt::format_string<Args...> expected, Args&&... args) {
  if (!holds)
    throw std::logic_error("broken invariant: expected " +
                           fmt::format(expected, std::forward<Args>(args)...));
}

}  // namespace attnlab
