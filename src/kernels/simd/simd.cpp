#include "kernels/simd/simd.h"

#include <cstdlib>
#include <string_view>

namespace attnlab {

#if defined(__x86_64__)
namespace avx512 {
extern const Simd table;
}
namespace avx2 {
extern const Simd table;
}
#endif
namespace baseline {
extern const Simd table;
}

namespace {

const Simd& choose() {
  // ATTNLAB_SIMD=baseline|avx2 narrows the choice, so that every version can be tested on one machine.
  const char* wish = std::getenv("ATTNLAB_SIMD");
  [[maybe_unused]] const std::string_view limit = wish ? wish : "";
#if defined(__x86_64__)
  const bool has512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  if (has512 && limit.empty()) return avx512::table;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
      limit != "baseline")
    return avx2::table;
#endif
  return baseline::table;
}

}  // namespace

const Simd& simd() {
  static const Simd& best = choose();
  return best;
}

}  // namespace attnlab
