// libFuzzer's way into the target that the build names; the ordinary tests, which take every source, name
// none.
#ifdef ATTNLAB_FUZZ_TARGET
#include <cstddef>
#include <cstdint>

#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  attnlab::ATTNLAB_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
#endif
