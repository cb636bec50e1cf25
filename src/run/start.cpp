#include "run/start.h"

#include <H5public.h>

#include "core/memory.h"

namespace attnlab {

void prepare_process() {
  H5dont_atexit();
  install_counting_allocator();
}

}  // namespace attnlab
