#include "core/log.h"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <mutex>

#include "core/shown.h"

namespace attnlab {
namespace {

using Clock = std::chrono::steady_clock;

struct Log {
  std::mutex mutex;
  std::ofstream file;
  std::FILE* lines = stderr;
  bool live_line = false;
  bool errors_alone = false;
  Clock::time_point last_progress{};
};

Log& state() {
  static Log log;
  return log;
}

void write_to_file(Log& log, const std::string& line) {
  if (log.file.is_open()) log.file << line << '\n' << std::flush;
}

}  // namespace

void log_to(const std::filesystem::path& file) {
  Log& log = state();
  const std::lock_guard lock(log.mutex);
  log.file = std::ofstream(file, std::ios::app);
}

void log_to_standard_output() {
  std::signal(SIGPIPE, SIG_IGN);
  state().lines = stdout;
}

void log_errors_alone() { state().errors_alone = true; }

void log_line(const std::string& message, LogKind kind) {
  const std::string line = printable(message);
  Log& log = state();
  if (log.errors_alone && kind != LogKind::error) return;
  const std::lock_guard lock(log.mutex);
  if (log.live_line) std::fputs("\r\033[K", stderr);
  log.live_line = false;
  std::FILE* const out = kind == LogKind::error ? stderr : log.lines;
  std::fprintf(out, "%s\n", line.c_str());
  std::fflush(out);  // in the order in which it happened, whatever reads it
  write_to_file(log, line);
}

void log_progress(const std::string& message) {
  const std::string line = printable(message);
  static const bool terminal = ::isatty(STDERR_FILENO) == 1;
  constexpr auto pause = std::chrono::seconds(30);
  Log& log = state();
  if (log.errors_alone) return;
  const std::lock_guard lock(log.mutex);
  if (terminal) {
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    log.live_line = true;
  }
  if (Clock::now() - log.last_progress < pause) return;
  log.last_progress = Clock::now();
  if (!terminal) std::fprintf(stderr, "%s\n", line.c_str());
  write_to_file(log, line);
}

}  // namespace attnlab
