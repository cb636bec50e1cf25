// A request to stop, set by a signal handler and honoured at the next safe point.
#pragma once

#include <csignal>

namespace attnlab {

/// SIGINT and SIGTERM ask to stop; a second SIGINT ends the process at once with status 130. Call once, in
/// main.
void install_stop_signals();

/// The signal that asked to stop, or 0.
int stop_requested();

/// Throws Interrupted when a stop was requested. For the safe points of loops that have nothing to save.
void stop_here_if_requested();

}  // namespace attnlab
