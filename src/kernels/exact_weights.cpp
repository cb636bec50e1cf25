#include "kernels/exact_weights.h"

#include "kernels/simd/simd.h"
#include "kernels/weight_scale.h"

namespace attnlab {

bool order_is_open(int64_t n, const float* bias, const float* scaled_mean) {
  static const float bound = static_cast<float>(weight_scale * std::exp(open_exponent));
  return simd().least_seen(n, bias, scaled_mean) < bound;
}

}  // namespace attnlab
