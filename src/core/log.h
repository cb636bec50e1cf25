// Plain lines to standard error and, once a run has a folder, to its log.txt.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <utility>

namespace attnlab {

/// From now on every line is also appended to this file.
void log_to(const std::filesystem::path& file);

/// Writes one line, bytes that no terminal should see escaped (core/shown.h). A live progress line on the
/// terminal is cleared first and redrawn by its owner.
void log_line(const std::string& message);

template <class... Args>
void log_info(fmt::format_string<Args...> text, Args&&... args) {
  log_line(fmt::format(text, std::forward<Args>(args)...));
}

/// A live line on a terminal (rewritten in place); a plain line at most every 30 s when standard error is a
/// file.
void log_progress(const std::string& message);

}  // namespace attnlab
