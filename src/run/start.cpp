#include "run/start.h"

#include <H5public.h>

#include <csignal>

#include "core/memory.h"

namespace attnlab {

void prepare_process() {
  H5dont_atexit();
  std::signal(SIGXFSZ,
              SIG_IGN);  // `ulimit -f` then fails a write, which says so, instead of killing the process
  install_counting_allocator();
}

}  // namespace attnlab
