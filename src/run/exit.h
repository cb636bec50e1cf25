// How a run ends: the status in its record, and the exit status of its process.
#pragma once

#include <exception>
#include <string>

namespace attnlab {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_user = 2;  ///< the user's mistake; an interrupted run exits with 128 + signal

struct Outcome {
  std::string status;  ///< done, failed, diverged, out_of_memory, interrupted
  std::string error;   ///< one sentence; empty when done
  int exit_status = exit_done;
};

/// What an exception that ended a run means. A UserError is "failed" with exit status 2.
Outcome outcome_of(const std::exception_ptr& error);

}  // namespace attnlab
