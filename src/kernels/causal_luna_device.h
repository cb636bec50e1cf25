// Causal Luna where a library beside this one has registered it: libattnlab_ops_cuda.so. Internal to
// kernels/.
#pragma once

#include "kernels/causal_luna.h"

namespace attnlab {

/// Whether there are such operators for these tensors' device, and their sizes fit it.
bool has_device_causal_luna(const Tensor& q_BHNd, const Tensor& a_BHNL);

/// As `native_causal_luna`. Dropout is Torch's own on that device.
Tensor device_causal_luna(const Tensor& q_BHNd, const Tensor& k_BHNd, const Tensor& v_BHNd,
                          const Tensor& a_BHNL, const Tensor& parts_BN, const Tensor& bias_BL, Drop drop);

}  // namespace attnlab
