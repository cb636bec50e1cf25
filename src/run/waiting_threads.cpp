// GNU's OpenMP lets a thread that waits at a barrier turn 300,000 times before it sleeps, milliseconds, as
// long as a turn of the scheduler. On cores that other jobs share, that takes the time from the thread that
// is waited for: with a busy neighbour on each of two cores a model of 260,000 weights decoded 30 to 1,200
// tokens a second, median 180, and with 1,000 turns 1,700 to 2,300, median 2,100. Yet a thread that
// sleeps between two products has to be woken: two threads of a Sapphire Rapids then decode SmolLM2 in 35 ms
// a token instead of 24 (fp32), in 16 to 19 instead of 14 (bf16). With 10,000 turns they stay awake between
// the operators of a layer, as with any more, and busy neighbours cost no more than with 1,000 in the median.
// Only the environment sets the number, and libgomp reads it while it is loaded, before main. So the process
// starts itself again, once, before any library has begun: 10 ms.
#include "run/waiting_threads.h"

#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace attnlab {

void keep_waiting_short() {}

}  // namespace attnlab

// A sanitizer's runtime is not there so early.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
namespace {

bool names(const char* setting, const char* variable) {
  return std::strncmp(setting, variable, std::strlen(variable)) == 0;
}

/// Called by the loader with main's arguments, when libraries are loaded and none, libc included, is
/// initialised.
void start_again_with_short_waits(int, char** argv, char** environment) {
  constexpr int most = 4096;
  static char setting[] = "GOMP_SPINCOUNT=10000";
  char* longer[most + 2];
  int count = 0;
  for (; environment[count]; ++count) {
    const bool chosen =
        names(environment[count], "GOMP_SPINCOUNT=") || names(environment[count], "OMP_WAIT_POLICY=");
    if (chosen || count == most) return;  // by the user, or here
    longer[count] = environment[count];
  }
  longer[count] = setting;
  longer[count + 1] = nullptr;
  // By the name under which it was started, so that it keeps that name. Where that fails the wait is long.
  syscall(SYS_execve, getauxval(AT_EXECFN), argv, longer);
}

__attribute__((section(".preinit_array"),
               used)) void (*const before_main)(int, char**, char**) = start_again_with_short_waits;

}  // namespace
#endif
