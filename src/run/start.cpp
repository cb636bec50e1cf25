#include "run/start.h"

#include <H5public.h>

#include <csignal>

#include "core/memory.h"
#include "run/waiting_threads.h"

namespace attnlab {

void prepare_process() {
  keep_waiting_short();
  H5dont_atexit();
  std::signal(SIGXFSZ,
              SIG_IGN);  // `ulimit -f` then fails a write, which says so, instead of killing the process
  install_counting_allocator();
}

}  // namespace attnlab
