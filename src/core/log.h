// Plain lines for people and, once a run has a folder, its log.txt. They go to standard error; of commands
// that write nothing else, what is no error goes to standard output, where `| tee log.txt` finds it.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <utility>

namespace attnlab {

/// From now on every line is also appended to this file.
void log_to(const std::filesystem::path& file);

/// From now on lines go to standard output, errors and progress excepted. A reader that goes away (`| head`)
/// is none of the run's business: SIGPIPE is ignored.
void log_to_standard_output();

/// From now on errors alone are written.
void log_errors_alone();

enum class LogKind { info, error };

/// Writes one line, bytes that no terminal should see escaped (core/shown.h). A live progress line on the
/// terminal is cleared first and redrawn by its owner.
void log_line(const std::string& message, LogKind kind = LogKind::info);

template <class... Args>
void log_info(fmt::format_string<Args...> text, Args&&... args) {
  log_line(fmt::format(text, std::forward<Args>(args)...));
}

template <class... Args>
void log_error(fmt::format_string<Args...> text, Args&&... args) {
  log_line(fmt::format(text, std::forward<Args>(args)...), LogKind::error);
}

/// A live line on a terminal (rewritten in place); a plain line at most every 30 s when standard error is a
/// file.
void log_progress(const std::string& message);

}  // namespace attnlab
