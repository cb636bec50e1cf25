#include "core/stop.h"

#include <unistd.h>

#include "core/error.h"

namespace attnlab {
namespace {

volatile std::sig_atomic_t requested = 0;

void on_signal(int signal) {
  if (requested == SIGINT && signal == SIGINT) {
    constexpr char words[] = "\nstopped at once; the last checkpoint stands\n";
    [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, words, sizeof words - 1);
    ::_exit(128 + signal);
  }
  requested = signal;
}

}  // namespace

void install_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int stop_requested() { return requested; }

void stop_here_if_requested() {
  if (requested) throw Interrupted(requested);
}

}  // namespace attnlab
